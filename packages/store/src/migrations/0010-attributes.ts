import { type Kysely, sql } from 'kysely'

/** What is known of people stands in a file of its own, and so in a part of its own of what is applied. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`update definition set bundle = jsonb_set(bundle #- '{policies,person}', '{attributes}',
      jsonb_build_object('person', coalesce(bundle #> '{policies,person}', '{}')))
    where not bundle ? 'attributes'`.execute(db)
}
