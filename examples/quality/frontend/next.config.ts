// A static export: nginx serves the files of `out/`, no Node.js runs on the server.
import type { NextConfig } from "next";

const config: NextConfig = {
  output: "export",
  trailingSlash: true,
};

export default config;
