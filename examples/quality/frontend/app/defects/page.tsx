// What failed.
import type { Metadata } from "next";

import { InspectionsOf } from "@/components/inspection-list";
import { PageHead } from "@/components/page-head";

export const metadata: Metadata = { title: "Defects" };

export default function DefectsPage() {
  return (
    <>
      <PageHead title="Defects">Inspections that failed. Hold the lot until the cause is known.</PageHead>
      <InspectionsOf result="fail" />
    </>
  );
}
