// The numbers of the day and the newest inspections.
"use client";

import { FromApi } from "@/components/from-api";
import { InspectionTable } from "@/components/inspection-table";
import { readInspections, readSummary, type Result, type Summary } from "@/lib/api";

const readNewest = (signal: AbortSignal) => readInspections(signal, 5);

export function Dashboard() {
  return (
    <>
      <FromApi load={readSummary}>{(summary) => <Figures summary={summary} />}</FromApi>
      <h2>Newest inspections</h2>
      <FromApi load={readNewest}>{({ items }) => <InspectionTable rows={items} />}</FromApi>
    </>
  );
}

function Figures({ summary }: { summary: Summary }) {
  const sum = (result: Result) => summary.lines.reduce((total, line) => total + line[result], 0);
  const [pass, rework, fail] = [sum("pass"), sum("rework"), sum("fail")];
  const total = pass + rework + fail;
  return (
    <dl className="figures">
      <Figure name="Inspections" value={String(total)} />
      <Figure name="Passed first time" value={total ? `${Math.round((100 * pass) / total)} %` : "–"} />
      <Figure name="To rework" value={String(rework)} />
      <Figure name="Failed" value={String(fail)} />
    </dl>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="card">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
