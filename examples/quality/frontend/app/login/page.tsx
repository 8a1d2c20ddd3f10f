// Signing in at a terminal of the shop floor: a name and a line, remembered by the device.
import type { Metadata } from "next";

import { ApiStatus } from "@/components/api-status";
import { PageHead } from "@/components/page-head";
import { PersonForm } from "@/components/person-form";

export const metadata: Metadata = { title: "Sign in" };

export default function LoginPage() {
  return (
    <div className="narrow">
      <PageHead title="Sign in">Tell this terminal who is inspecting. No password: it opens no protected pages.</PageHead>
      <ApiStatus />
      <PersonForm button="Sign in" />
    </div>
  );
}
