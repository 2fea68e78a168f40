#!/usr/bin/env node
// `npm run test:sim -- --minutes 5`: plays stories of the whole pipe until one breaks a promise.
import { runAsItself } from './ground.mjs'

await runAsItself('test/sim/src/main.ts')
