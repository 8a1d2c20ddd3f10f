// The comparison of the lines.
import type { Metadata } from "next";

import { LineReport } from "@/components/line-report";
import { PageHead } from "@/components/page-head";

export const metadata: Metadata = { title: "Reports" };

export default function ReportsPage() {
  return (
    <>
      <PageHead title="Reports">Results of all inspections, line by line.</PageHead>
      <LineReport />
    </>
  );
}
