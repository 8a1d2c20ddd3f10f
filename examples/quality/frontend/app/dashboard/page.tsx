// The dashboard.
import type { Metadata } from "next";
import Link from "next/link";

import { Dashboard } from "@/components/dashboard";
import { PageHead } from "@/components/page-head";

export const metadata: Metadata = { title: "Dashboard" };

export default function DashboardPage() {
  return (
    <>
      <PageHead
        title="Dashboard"
        action={
          <Link href="/inspections/new/" className="button">
            New inspection
          </Link>
        }
      >
        All lines at a glance.
      </PageHead>
      <Dashboard />
    </>
  );
}
