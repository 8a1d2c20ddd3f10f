// The administrators' page: the state of the system and the ways into it.
import type { Metadata } from "next";
import Link from "next/link";

import { ApiStatus } from "@/components/api-status";
import { PageHead } from "@/components/page-head";
import { djangoAdminUrl } from "@/lib/api";

export const metadata: Metadata = { title: "Admin" };

export default function AdminPage() {
  return (
    <>
      <PageHead title="Admin">The state of the system, and where it is looked after.</PageHead>
      <ApiStatus />
      <div className="doors">
        <Link href="/admin/users/" className="card">
          <strong>Users and roles</strong>
          <span className="quiet">Who may do what, and how to get an account.</span>
        </Link>
        <a href={djangoAdminUrl} className="card">
          <strong>Records</strong>
          <span className="quiet">Correct or remove an inspection. Needs an account.</span>
        </a>
      </div>
    </>
  );
}
