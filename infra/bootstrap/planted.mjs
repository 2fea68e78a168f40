#!/usr/bin/env node
import { runAsItself } from './ground.mjs'

await runAsItself('test/planted/src/main.ts')
