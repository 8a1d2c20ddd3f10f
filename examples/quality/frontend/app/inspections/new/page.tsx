// Recording an inspection.
import type { Metadata } from "next";

import { NewInspectionForm } from "@/components/new-inspection-form";
import { PageHead } from "@/components/page-head";

export const metadata: Metadata = { title: "New inspection" };

export default function NewInspectionPage() {
  return (
    <div className="narrow">
      <PageHead title="New inspection">One part, one look, one result.</PageHead>
      <NewInspectionForm />
    </div>
  );
}
