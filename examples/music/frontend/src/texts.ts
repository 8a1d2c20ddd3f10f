// Every word that people read, in both languages.
import type { Stage } from "./api";

function inHours(minutes: number, hour: string, minute: string, space: string): string {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  const parts = [hours ? `${hours}${space}${hour}` : "", rest || !hours ? `${rest}${space}${minute}` : ""];
  return parts.filter(Boolean).join(" ");
}

const korean = {
  name: "연습 일지",
  school: "새벽음악학원",
  motto: "매일 조금씩, 천천히, 끝까지.",
  loading: "불러오는 중…",
  retry: "다시 시도",
  failed: "서버에서 답을 받지 못했습니다.",
  refused: "입력한 내용을 저장하지 못했습니다.",
  known: "이미 곡목에 있는 곡입니다.",
  saving: "저장하는 중…",
  missing: { title: "없는 페이지입니다", back: "일지로 돌아가기" },
  minutes: (count: number) => `${count}분`,
  time: (count: number) => inHours(count, "시간", "분", ""),
  diary: {
    title: "일지",
    lead: "오늘은 무엇을 연습했나요? 몇 줄이면 충분합니다.",
    song: "곡",
    player: "이름",
    minutes: "연습 시간(분)",
    day: "날짜",
    note: "메모",
    notePlaceholder: "어디가 좋아졌고, 어디가 아직인가요?",
    save: "일지에 쓰기",
    newest: "최근 기록",
    count: (count: number) => `모두 ${count}건`,
    empty: "아직 기록이 없습니다. 첫 줄을 써 보세요.",
  },
  songs: {
    title: "곡목",
    lead: "가을 연주회에 올릴 곡과 지금 익히는 곡.",
    name: "제목",
    composer: "작곡",
    tempo: "목표 빠르기(♩=)",
    stage: "단계",
    save: "곡 추가",
    add: "새 곡",
    spent: (time: string) => `지금까지 ${time}`,
    empty: "아직 곡이 없습니다.",
  },
  stages: { learning: "익히는 중", polishing: "다듬는 중", ready: "무대 준비 완료" } satisfies Record<Stage, string>,
  statistics: {
    title: "통계",
    lead: "적은 시간도 모이면 곡이 됩니다.",
    total: "모은 시간",
    sessions: "연습 횟수",
    row: "이어서 연습한 날",
    days: (count: number) => `${count}일`,
    times: (count: number) => `${count}번`,
    fortnight: "지난 두 주",
    bySong: "곡마다 들인 시간",
    empty: "기록이 쌓이면 여기에 보입니다.",
  },
};

export type Texts = typeof korean;

const english: Texts = {
  name: "Practice diary",
  school: "Saebyeok Music School",
  motto: "A little every day, slowly, to the end.",
  loading: "Loading…",
  retry: "Try again",
  failed: "The server did not answer.",
  refused: "This could not be saved.",
  known: "This song is in the repertoire already.",
  saving: "Saving…",
  missing: { title: "There is no such page", back: "Back to the diary" },
  minutes: (count) => `${count} min`,
  time: (count) => inHours(count, "h", "min", " "),
  diary: {
    title: "Diary",
    lead: "What did you practise today? A few lines are enough.",
    song: "Song",
    player: "Name",
    minutes: "Minutes",
    day: "Day",
    note: "Note",
    notePlaceholder: "What got better, and what is not there yet?",
    save: "Write it down",
    newest: "Latest entries",
    count: (count) => `${count} in all`,
    empty: "Nothing here yet. Write the first line.",
  },
  songs: {
    title: "Songs",
    lead: "What goes on stage in autumn, and what we are learning now.",
    name: "Title",
    composer: "Composer",
    tempo: "Tempo to aim at (♩=)",
    stage: "Stage",
    save: "Add the song",
    add: "A new song",
    spent: (time) => `${time} so far`,
    empty: "No songs yet.",
  },
  stages: { learning: "learning", polishing: "polishing", ready: "ready for the stage" },
  statistics: {
    title: "Statistics",
    lead: "Small amounts of time add up to a piece.",
    total: "Time spent",
    sessions: "Sessions",
    row: "Days in a row",
    days: (count) => `${count} day${count === 1 ? "" : "s"}`,
    times: (count) => `${count}`,
    fortnight: "The last two weeks",
    bySong: "Time for each song",
    empty: "What you write down will show here.",
  },
};

export const LANGUAGES = {
  ko: { code: "ko", name: "한국어", texts: korean },
  en: { code: "en", name: "English", texts: english },
} as const;

export type Code = keyof typeof LANGUAGES;
