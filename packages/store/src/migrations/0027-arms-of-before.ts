/**
 * Its place is kept because there are databases that had it. What it did in one statement, for which it held
 * all runs, arms-of-before.ts does in batches.
 */
export async function up(): Promise<void> {}
