#!/usr/bin/env node
// `npm run bench`: Wegwijs beside the bare pipeline, measured.

import { runAsItself } from './ground.mjs'

await runAsItself('test/bench/src/main.ts')
