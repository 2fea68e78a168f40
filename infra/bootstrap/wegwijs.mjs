#!/usr/bin/env node
import { runAsItself } from './ground.mjs'

await runAsItself('services/cli/src/main.ts')
