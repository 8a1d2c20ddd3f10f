// How each production line does: its results as a bar and in numbers.
"use client";

import { FromApi } from "@/components/from-api";
import { resultNames } from "@/components/result-badge";
import { type LineSummary, readSummary, type Result } from "@/lib/api";

const results = Object.keys(resultNames) as Result[];

export function LineReport() {
  return (
    <FromApi load={readSummary}>
      {({ lines }) => (
        <div className="card">
          <ul className="legend">
            {results.map((result) => (
              <li key={result} className={result}>
                {resultNames[result]}
              </li>
            ))}
          </ul>
          {lines.map((line) => (
            <LineBar key={line.line} line={line} />
          ))}
        </div>
      )}
    </FromApi>
  );
}

function LineBar({ line }: { line: LineSummary }) {
  const total = results.reduce((sum, result) => sum + line[result], 0);
  const inWords = results.map((result) => `${line[result]} ${resultNames[result].toLowerCase()}`).join(", ");
  return (
    <div className="line-bar">
      <strong>{line.line}</strong>
      <div className="bar" role="img" aria-label={inWords}>
        {results.map((result) => (
          <span key={result} className={result} style={{ flexGrow: line[result] }} />
        ))}
      </div>
      <span className="quiet">
        {Math.round((100 * line.pass) / total)} % of {total} passed
      </span>
    </div>
  );
}
