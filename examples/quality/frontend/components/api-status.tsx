// Says whether the API answers, and with which version.
"use client";

import { FromApi } from "@/components/from-api";
import { Notice } from "@/components/notice";
import { readHealth } from "@/lib/api";

export function ApiStatus() {
  return (
    <FromApi load={readHealth}>{({ release }) => <Notice kind="good">API ok, version {release}</Notice>}</FromApi>
  );
}
