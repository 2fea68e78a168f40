import { fork } from 'node:child_process'
const c = fork(new URL('./simulate-main.ts', import.meta.url), [process.argv[2]!], { execArgv: process.argv.slice(3) })
c.on('message', (m: any) => console.log(m, 'ev/s', m.events / m.cpuSeconds))
