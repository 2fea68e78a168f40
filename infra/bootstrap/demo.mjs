#!/usr/bin/env node
import { runAsItself } from './ground.mjs'

await runAsItself('infra/demo/src/main.ts')
