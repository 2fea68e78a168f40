import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Curve } from './result.ts'

/** The curve as a picture: an SVG that is the same every time. */
export async function drawCurve({ title, x, y, series }: Curve): Promise<string> {
  const values = series.flatMap(({ name, points }) =>
    points.map((point) => ({ ...point, series: name })),
  )
  const spec: TopLevelSpec = {
    title,
    width: 560,
    height: 260,
    background: 'white',
    data: { values },
    mark: { type: 'line', point: true, strokeWidth: 2 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: x,
        // From nothing to a million, with every size as far from the next.
        scale: { type: 'symlog' },
        axis: { values: [...new Set(values.map((value) => value.x))], format: ',d' },
      },
      y: { field: 'y', type: 'quantitative', title: y, scale: { zero: true } },
      color: { field: 'series', type: 'nominal', title: null },
    },
  }
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}
