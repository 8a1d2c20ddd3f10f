// The list of inspections.
import type { Metadata } from "next";
import Link from "next/link";

import { FilteredInspections } from "@/components/inspection-list";
import { PageHead } from "@/components/page-head";

export const metadata: Metadata = { title: "Inspections" };

export default function InspectionsPage() {
  return (
    <>
      <PageHead
        title="Inspections"
        action={
          <Link href="/inspections/new/" className="button">
            New inspection
          </Link>
        }
      >
        What was checked, newest first.
      </PageHead>
      <FilteredInspections />
    </>
  );
}
