// What this device remembers.
import type { Metadata } from "next";

import { PageHead } from "@/components/page-head";
import { PersonForm, RowsField } from "@/components/person-form";

export const metadata: Metadata = { title: "Settings" };

export default function SettingsPage() {
  return (
    <div className="narrow">
      <PageHead title="Settings">They are kept on this device only.</PageHead>
      <PersonForm button="Save">
        <RowsField />
      </PersonForm>
    </div>
  );
}
