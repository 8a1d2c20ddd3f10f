// The only module that knows where the API is and how to talk to it.

// Vite replaces exactly this expression while it builds. There is no fallback on purpose: one would hide a forgotten
// value until visitors call the wrong address.
const configuredUrl: string | undefined = import.meta.env.VITE_API_URL;
if (!configuredUrl) {
  throw new Error("VITE_API_URL is not set. Set it to the API's address before the build; README.md says how.");
}
const apiUrl = configuredUrl.replace(/\/+$/, "");

export type Stage = "learning" | "polishing" | "ready";
export type SongDraft = { title: string; composer: string; tempo: number | null; stage: Stage };
export type Song = SongDraft & { id: number; minutes: number };
export type EntryDraft = { song_id: number; player: string; minutes: number; day: string; note: string };
export type Entry = EntryDraft & { id: number; song: string };
export type EntryList = { count: number; items: Entry[] };
export type Statistics = {
  sessions: number;
  minutes: number;
  days_in_a_row: number;
  days: { day: string; minutes: number }[];
  songs: { song: string; minutes: number }[];
};

/** The API refused a request; `status` is 0 when it did not answer at all. */
export class ApiError extends Error {
  constructor(readonly status: number) {
    super(status ? `The API answered with HTTP ${status}.` : "The API does not answer.");
  }
}

export const readSongs = (signal: AbortSignal) => request<Song[]>("/api/songs", { signal });

export const readEntries = (signal: AbortSignal) => request<EntryList>("/api/sessions?limit=30", { signal });

export const readStatistics = (signal: AbortSignal) =>
  request<Statistics>(`/api/statistics?until=${today()}`, { signal });

export const addSong = (draft: SongDraft) => send<Song>("/api/songs", draft);

export const addEntry = (draft: EntryDraft) => send<Entry>("/api/sessions", draft);

/** The visitor's day as 2026-11-21, not that of Greenwich. */
export function today(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

function send<T>(path: string, body: unknown): Promise<T> {
  return request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function request<T>(path: string, options: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(apiUrl + path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0);
  }
  if (!response.ok) throw new ApiError(response.status);
  return (await response.json()) as T;
}
