// The only module that knows where the API is and how to talk to it.

// Written out in full: Next.js replaces exactly this expression by the value while it builds, and nothing shorter.
// There is no fallback on purpose: one would hide a forgotten value until visitors call the wrong address.
const configuredUrl = process.env.NEXT_PUBLIC_API_URL;
if (!configuredUrl) {
  throw new Error("NEXT_PUBLIC_API_URL is not set. Set it to the API's address before the build; README.md says how.");
}
const apiUrl = configuredUrl.replace(/\/+$/, "");

export const djangoAdminUrl = `${apiUrl}/django-admin/`;

export type Result = "pass" | "rework" | "fail";

export type Draft = { part: string; line: string; result: Result; note: string };
export type Inspection = Draft & { id: number; created: string };
export type InspectionList = { count: number; items: Inspection[] };
export type LineSummary = { line: string } & Record<Result, number>;
export type Summary = { lines: LineSummary[] };
export type Health = { status: string; release: string };

/** The API could not be reached or refused the request; `fields` names what is wrong with each field. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly fields: Record<string, string> = {},
  ) {
    super(message);
  }
}

export function readHealth(signal: AbortSignal): Promise<Health> {
  return request(`${apiUrl}/api/health`, { signal });
}

export function readInspections(signal: AbortSignal, limit: number, result?: Result): Promise<InspectionList> {
  const query = new URLSearchParams({ limit: String(limit), ...(result && { result }) });
  return request(`${apiUrl}/api/inspections?${query}`, { signal });
}

export function readSummary(signal: AbortSignal): Promise<Summary> {
  return request(`${apiUrl}/api/summary`, { signal });
}

export function recordInspection(draft: Draft): Promise<Inspection> {
  return request(`${apiUrl}/api/inspections`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(draft),
  });
}

async function request<T>(url: string, options: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(`The API does not answer at ${url}.`);
  }
  const body = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as T;
  if (response.status === 400 && body?.errors) {
    throw new ApiError("Please correct the marked fields.", body.errors);
  }
  throw new ApiError(`The API answered with an error (HTTP ${response.status}) at ${url}.`);
}
