// The frame around every page.
import "./globals.css";

import type { Metadata } from "next";
import type { ReactNode } from "react";

import { SiteHeader } from "@/components/site-header";

export const metadata: Metadata = {
  title: { default: "Quality", template: "%s · Quality" },
  description: "Inspections, defects and reports of the shop floor.",
};

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <SiteHeader />
        <main>{children}</main>
      </body>
    </html>
  );
}
