import type { Expectation } from '@wegwijs/campaign/definition/expectation'
import type { Specification, SpecificationsFile } from '@wegwijs/campaign/definition/specification'
import { type Fault, unknownName } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { about, isMended, type Loaded } from './parts.ts'

type Looked = {
  loaded: Loaded<SpecificationsFile>
  specification: Specification
  path: Path
}

/** Everybody whom a specification names beside the person stands under `with`. */
export function checkOthersNamed({ loaded, specification, path }: Looked): Fault[] {
  if (isMended(loaded, [...path, 'given'])) return []
  const others = Object.keys(specification.given.with ?? {})
  const check = (name: string | undefined, at: Path, known: readonly string[]): Fault[] =>
    name === undefined || known.includes(name)
      ? []
      : [about(loaded, [...path, ...at], unknownName('name under "with"', name, known))]
  const receiver = (name: string | undefined, at: Path) =>
    check(name, [...at, 'to'], ['person', ...others])
  const receivers = (expectations: readonly Expectation[], at: Path): Fault[] =>
    expectations.flatMap((each, index) =>
      typeof each === 'string' || !('to' in each) || 'answered' in each
        ? []
        : receiver(each.to, [...at, index]),
    )
  return [
    ...specification.when.flatMap((each, index) => [
      ...('who' in each ? check(each.who, ['when', index, 'who'], others) : []),
      ...('may hear' in each ? check(each['may hear'], ['when', index, 'may hear'], others) : []),
      ...('may hear no more' in each
        ? check(each['may hear no more'], ['when', index, 'may hear no more'], others)
        : []),
      ...('provider tells' in each ? receiver(each.to, ['when', index]) : []),
      ...(each.then ? receivers(each.then, ['when', index, 'then']) : []),
    ]),
    ...receivers(specification.then, ['then']),
  ]
}
