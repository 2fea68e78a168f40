#!/usr/bin/env node
import { runAsItself } from './ground.mjs'

await runAsItself('test/fault/src/main.ts')
