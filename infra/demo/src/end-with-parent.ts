/**
 * Loaded before a service of the demo (`node --import`). The channel to the demo closes when that
 * process ends, however it ends; without this a demo that was killed would leave its services
 * behind, on ports and in a namespace that nobody looks after.
 */
process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
})
