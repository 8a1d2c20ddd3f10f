// The result of an inspection as a small coloured word.
import type { Result } from "@/lib/api";

export const resultNames: Record<Result, string> = { pass: "Pass", rework: "Rework", fail: "Fail" };

export function ResultBadge({ result }: { result: Result }) {
  return <span className={`badge ${result}`}>{resultNames[result]}</span>;
}
