// Inspections as a table; on a phone every row becomes a card.
"use client";

import { ResultBadge } from "@/components/result-badge";
import type { Inspection } from "@/lib/api";

const time = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function InspectionTable({ rows }: { rows: Inspection[] }) {
  if (rows.length === 0) return <p className="card quiet">Nothing recorded yet.</p>;
  return (
    <div className="card flush">
      <table className="inspections">
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Line</th>
            <th scope="col">Result</th>
            <th scope="col">Note</th>
            <th scope="col">Recorded</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td className="part">{row.part}</td>
              <td className="line">{row.line}</td>
              <td className="result">
                <ResultBadge result={row.result} />
              </td>
              <td className="note">{row.note}</td>
              <td className="time">
                <time dateTime={row.created}>{time.format(new Date(row.created))}</time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
