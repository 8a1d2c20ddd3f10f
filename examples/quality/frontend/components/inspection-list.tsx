// The newest inspections with a choice of the result to show, or those of one result only.
"use client";

import { useCallback, useState } from "react";

import { FromApi } from "@/components/from-api";
import { InspectionTable } from "@/components/inspection-table";
import { resultNames } from "@/components/result-badge";
import { readInspections, type Result } from "@/lib/api";
import { usePreferences } from "@/lib/preferences";

const choices: { result: Result | undefined; label: string }[] = [
  { result: undefined, label: "All" },
  { result: "pass", label: resultNames.pass },
  { result: "rework", label: resultNames.rework },
  { result: "fail", label: resultNames.fail },
];

export function FilteredInspections() {
  const [wanted, setWanted] = useState<Result>();
  return (
    <>
      <div className="choices" role="group" aria-label="Result">
        {choices.map(({ result, label }) => (
          <button key={label} type="button" aria-pressed={wanted === result} onClick={() => setWanted(result)}>
            {label}
          </button>
        ))}
      </div>
      <InspectionsOf result={wanted} />
    </>
  );
}

export function InspectionsOf({ result }: { result?: Result }) {
  const { rows } = usePreferences();
  const load = useCallback((signal: AbortSignal) => readInspections(signal, rows, result), [rows, result]);
  return (
    <FromApi load={load}>
      {({ count, items }) => (
        <>
          <InspectionTable rows={items} />
          <p className="quiet small">
            {items.length} of {count} shown, newest first.
          </p>
        </>
      )}
    </FromApi>
  );
}
