// Loaded into `next build` by NODE_OPTIONS=--require: gives Next the build id that shipper made from the build's inputs,
// where Next would have drawn a random one. A generateBuildId of the user's own next.config still wins.
"use strict";

const Module = require("node:module");

const buildId = process.env.SHIPPER_NEXT_BUILD_ID;

if (buildId) {
  const load = Module._load;
  Module._load = function (request, ...rest) {
    const exported = load.call(this, request, ...rest);
    if (!/[\\/]generate-build-id(\.js)?$/.test(request) || typeof exported.generateBuildId !== "function") {
      return exported;
    }
    return { ...exported, generateBuildId: (own) => exported.generateBuildId(own, () => buildId) };
  };
}
