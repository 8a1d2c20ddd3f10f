"""What is found in files, and what is not, in the languages and formats that teams use."""

from __future__ import annotations

import re

import pytest
from secret_negatives import NEGATIVES
from secret_negatives_more import MORE_NEGATIVES
from secret_positives import POSITIVES
from secret_positives_calls import IN_CALLS
from secret_positives_languages import IN_LANGUAGES
from secret_positives_more import MORE_POSITIVES
from secret_samples import base32, fill, hexadecimal, jwt, letters, pem, samples, values_in, wide

from shipper.check.hygiene.contents import check_contents, rules_digest
from shipper.check.hygiene.found import Found

ALL_POSITIVES = POSITIVES + MORE_POSITIVES


def look(path: str, text: str) -> list[Found]:
    return check_contents(path, fill(text).encode())


def ids(cases: list[tuple[str, str]]) -> list[str]:
    return [f"{path}: {text.strip()[:60]!r}" for path, text in cases]


@pytest.mark.parametrize(("path", "text"), ALL_POSITIVES, ids=ids(ALL_POSITIVES))
def test_a_secret_is_found(path: str, text: str) -> None:
    found = look(path, text)
    assert found
    lines = text.count("\n") + 1
    assert all(finding.line is not None and 1 <= finding.line <= lines + 40 for finding in found)
    assert all(finding.message and finding.why and finding.fix for finding in found)


@pytest.mark.parametrize(("path", "text"), POSITIVES, ids=ids(POSITIVES))
def test_a_live_secret_is_an_error(path: str, text: str) -> None:
    assert "error" in {finding.severity for finding in look(path, text)}


@pytest.mark.parametrize(("path", "text"), ALL_POSITIVES, ids=ids(ALL_POSITIVES))
def test_no_finding_tells_more_of_a_value_than_two_characters(path: str, text: str) -> None:
    known = samples()
    values = values_in(text)
    assert values or not re.search("⟦", text)
    for finding in look(path, text):
        told = f"{finding.rule} {finding.message} {finding.why} {finding.fix}"
        for value in values:
            assert value[:3] not in told, finding
        assert not any(value in told for value in known.values())


@pytest.mark.parametrize(("path", "text"), IN_LANGUAGES + IN_CALLS, ids=ids(IN_LANGUAGES + IN_CALLS))
def test_a_secret_of_other_teams_is_found(path: str, text: str) -> None:
    assert check_contents(path, text.encode())


@pytest.mark.parametrize(("path", "text"), NEGATIVES + MORE_NEGATIVES, ids=ids(NEGATIVES + MORE_NEGATIVES))
def test_nothing_is_found_where_nothing_is_secret(path: str, text: str) -> None:
    assert check_contents(path, text.encode()) == []


@pytest.mark.parametrize(
    ("path", "text", "severity"),
    [
        ("values.yaml", "auth:\n  secret: my-app-secret-v2\n", "warning"),
        ("values.yaml", "auth:\n  secret: ⟦hex⟧\n", "error"),
        (".env", "SECRET_KEY=my-app-secret-v2\n", "error"),
        ("settings.py", "SECRET_KEY = 'my-app-secret-v2'\n", "error"),
    ],
    ids=["a-name-in-yaml", "a-value-in-yaml", "in-an-env-file", "in-code"],
)
def test_what_may_be_the_name_of_a_secret_is_a_warning(path: str, text: str, severity: str) -> None:
    assert [finding.severity for finding in look(path, text)] == [severity]


LETTERS64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
TOKENS = {
    "secret.aws-access-key": "AK" + "IA" + base32("a", 16),
    "secret.github-token": "gh" + "o_" + letters("h", 36),
    "secret.github-token fine": "github_" + "pat_" + letters("p", 22) + "_" + letters("q", 59),
    "secret.gitlab-token": "gl" + "pat-" + wide("x", 20),
    "secret.slack-token": "xo" + "xb-172536450918-8273645091827-" + letters("s", 24),
    "secret.slack-token app": "xa" + "pp-1-A0" + base32("sa", 9) + "-8273645091827-" + hexadecimal("sx", 64),
    "secret.slack-webhook": f"https://hooks.slack.com/services/T{base32('t', 8)}/B{base32('b', 10)}/"
    + letters("h", 24),
    "secret.stripe-key": "sk_" + "live_" + letters("k", 24),
    "secret.stripe-key restricted": "rk_" + "live_" + letters("k2", 99),
    "secret.stripe-key webhook": "wh" + "sec_" + letters("w", 32),
    "secret.openai-key": "sk" + "-" + letters("o", 48),
    "secret.openai-key project": "sk-" + "proj-" + wide("pj", 120),
    "secret.anthropic-key": "sk-" + "ant-api03-" + wide("an", 93) + "AA",
    "secret.google-api-key": "AI" + "za" + wide("ai", 35),
    "secret.google-oauth": "GOC" + "SPX-" + wide("gc", 28),
    "secret.google-oauth access": "ya" + "29." + wide("y", 140),
    "secret.google-oauth refresh": "1/" + "/0g" + wide("gr", 90),
    "secret.firebase-server-key": "AA" + "AA" + wide("f7", 7) + ":APA" + "91b" + wide("fcm", 134),
    "secret.twilio-key": "S" + "K" + hexadecimal("tw", 32),
    "secret.sendgrid-key": "S" + "G." + wide("s1", 22) + "." + wide("s2", 43),
    "secret.mailgun-key": "ke" + "y-" + hexadecimal("mg", 32),
    "secret.mailchimp-key": hexadecimal("mc", 32) + "-us" + "14",
    "secret.brevo-key": "xkey" + "sib-" + hexadecimal("br", 64) + "-" + letters("b16", 16),
    "secret.resend-key": "re" + "_A1b2C3d4_" + letters("rs", 24),
    "secret.npm-token": "np" + "m_" + letters("np", 36),
    "secret.pypi-token": "py" + "pi-AgEIcHlwaS5vcmc" + wide("pp", 150),
    "secret.docker-token": "dc" + "kr_pat_" + wide("d", 27),
    "secret.hugging-face-token": "h" + "f_" + letters("hf", 34),
    "secret.groq-key": "gs" + "k_" + letters("gq", 52),
    "secret.digitalocean-token": "do" + "p_v1_" + hexadecimal("do", 64),
    "secret.shopify-token": "sh" + "pat_" + hexadecimal("sh", 32),
    "secret.square-token": "sq" + "0csp-" + wide("sq", 43),
    "secret.telegram-token": "8273645091:A" + "A" + wide("tg", 33),
    "secret.discord-token": "M" + "T" + letters("dc", 24) + "." + wide("d6", 6) + "." + wide("d38", 38),
    "secret.discord-webhook": "https://discord.com/api/webhooks/827364509182736450/" + wide("dh", 68),
    "secret.vault-token": "hv" + "s." + wide("hv", 90),
    "secret.terraform-token": letters("tf", 14) + ".atlas" + "v1." + wide("tf2", 67),
    "secret.databricks-token": "da" + "pi" + hexadecimal("da", 32),
    "secret.supabase-token": "sb" + "p_" + hexadecimal("sb", 40),
    "secret.age-key": "AGE-SECRET-" + "KEY-1" + letters("ag", 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    "secret.azure-key": "Account" + "Key=" + letters("az", 86, LETTERS64) + "==",
    "secret.azure-sas": "https://x.blob.core.windows.net/c?sv=2022&si" + "g=" + letters("sas", 43) + "%3D",
    "secret.linear-key": "lin_" + "api_" + letters("li", 40),
    "secret.notion-token": "secr" + "et_" + letters("no", 43),
    "secret.figma-token": "fi" + "gd_" + wide("fi", 40),
    "secret.atlassian-token": "AT" + "ATT3" + wide("at", 180),
    "secret.dropbox-token": "s" + "l." + wide("dr", 130),
    "secret.new-relic-key": "NR" + "AK-" + base32("nr", 27),
    "secret.grafana-token": "gl" + "sa_" + letters("gl", 32) + "_" + hexadecimal("g8", 8),
    "secret.doppler-token": "dp" + ".st.prd." + letters("dp", 43),
    "secret.planetscale-token": "pscale" + "_tkn_" + wide("ps", 43),
    "secret.toss-key": "live" + "_sk_" + letters("to", 30),
    "secret.alibaba-key": "LT" + "AI5t" + letters("ali", 18),
    "secret.tencent-key": "AK" + "ID" + letters("te", 32),
    "secret.jwt": jwt(sub="u1", iss="acme"),
    "secret.url-password": f"https://{hexadecimal('s1', 32)}:{hexadecimal('s2', 32)}@o1.ingest.sentry.io/12",
    "secret.private-key": pem(end="\\n"),
    "secret.private-key ec": pem("EC PRIVATE KEY", 3, end="\\n"),
    "secret.private-key openssh": pem("OPENSSH PRIVATE KEY", 8, end="\\n"),
    "secret.private-key encrypted": pem("ENCRYPTED PRIVATE KEY", 10, end="\\n"),
    "secret.private-key pgp": pem("PGP PRIVATE KEY BLOCK", 20, end="\\n"),
    "secret.private-key short": pem("PRIVATE KEY", 1, end="\\n"),
}
AROUND = {
    "python": ("a.py", "x = '%s'\n"),
    "yaml": ("a.yml", "x: %s\n"),
    "json": ("a.json", '{"x": "%s"}'),
    "document": ("a.md", "text `%s` end.\n"),
    "env": (".env", "X=%s\n"),
    "after an escape": ("a.ipynb", '"...\\n%s\\n"'),
    "bundle": ("dist/a.min.js", 'x("%s")'),
    "url": ("a.txt", "https://h/?x=%s&y=1"),
    "after a percent escape": ("b.txt", "x=%%20%s"),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("rule", TOKENS)
def test_a_token_of_a_provider_is_told_by_its_rule_wherever_it_stands(rule: str, around: str) -> None:
    path, form = AROUND[around]
    found = check_contents(path, (form % TOKENS[rule]).encode())
    assert [finding.rule for finding in found][:1] == [rule.split()[0]]


@pytest.mark.parametrize("rule", [rule for rule in TOKENS if not rule.startswith(("secret.private", "secret.jwt"))])
def test_a_real_token_in_a_test_is_still_an_error(rule: str) -> None:
    found = check_contents("tests/test_a.py", f"x = '{TOKENS[rule]}'".encode())
    announced = ("secret.slack-webhook", "secret.discord-webhook", "secret.azure", "secret.url")
    assert [finding.severity for finding in found] == ["warning" if rule.startswith(announced) else "error"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949", "utf-16-le without blanks"]
)
@pytest.mark.parametrize("line", ["비밀번호: ⟦pw⟧\n", "토큰 ⟦ghp⟧\n", "password=⟦pw2⟧\n"])
def test_no_encoding_hides_a_secret(encoding: str, line: str) -> None:
    codec = encoding.split()[0]
    text = f"# 서버 접속 정보 문서\n{fill(line)}"
    assert [finding.line for finding in check_contents("notes.txt", text.encode(codec))] == [2]


def test_a_nul_byte_hides_nothing() -> None:
    data = fill("a\0b\nDB_PASSWORD=⟦pw2⟧\n").encode()
    assert [finding.line for finding in check_contents("a.env", data)] == [2]


@pytest.mark.parametrize("wrap", ["ascii", "utf-16-le"])
def test_a_token_in_a_binary_file_is_found_without_a_line(wrap: str) -> None:
    data = b"\x7fELF\0\1\2\3" * 40 + fill("⟦ghp⟧").encode(wrap) + b"\0\1\2\3" * 40
    assert [(finding.rule, finding.line) for finding in check_contents("a.bin", data)] == [
        ("secret.github-token", None)
    ]


def test_a_password_by_name_in_a_binary_file_is_noise() -> None:
    assert check_contents("a.bin", b"\0\1\2\3" * 40 + fill("password=⟦pw2⟧").encode() + b"\0\1\2\3" * 40) == []


def test_of_built_files_only_shaped_values_are_told() -> None:
    text = fill("password='⟦pw⟧';a='⟦ghp⟧';u='postgres://app:⟦pw2⟧@db.acme.kr/x'").encode()
    rules = {finding.rule for finding in check_contents("out/app.js", text, shaped_only=True)}
    assert rules == {"secret.github-token", "secret.url-password"}


def test_a_secret_is_told_once_by_the_most_exact_rule() -> None:
    assert [finding.rule for finding in look(".env", "GITHUB_TOKEN=⟦ghp⟧\n")] == ["secret.github-token"]
    assert [finding.rule for finding in look("a.sh", "PGPASSWORD=⟦pw2⟧ psql postgres://app@x/y\n")] == [
        "secret.password"
    ]


def test_lines_are_counted_from_one_and_in_order() -> None:
    text = "A=1\n\nDB_PASSWORD=⟦pw⟧\r\nB=2\nAPI_KEY=⟦key⟧\n"
    assert [finding.line for finding in look(".env", text)] == [3, 5]


SEVERITIES: list[tuple[str, str, str | None]] = [
    (".env", "DB_PASSWORD=changeme\n", "warning"),
    (".env", "DB_PASSWORD=password\n", "warning"),
    (".env", "SECRET_KEY=secret\n", "warning"),
    (".env", "DB_PASSWORD=⟦weak⟧\n", "error"),
    (".env.example", "DB_PASSWORD=changeme\n", None),
    (".env.example", "DB_PASSWORD=⟦pw⟧\n", "error"),
    ("README.md", "password: changeme\n", None),
    ("README.md", "password: ⟦weak⟧\n", "warning"),
    ("README.md", "password: ⟦pw⟧\n", "error"),
    ("tests/test_a.py", "password = '⟦weak⟧'\n", None),
    ("tests/test_a.py", "password = '⟦pw⟧'\n", "warning"),
    ("src/a.test.ts", "const apiKey = '⟦key⟧'\n", "warning"),
    ("prisma/seed.ts", "password: '⟦pw⟧'\n", "warning"),
    (".github/workflows/ci.yml", "  POSTGRES_PASSWORD: postgres\n", None),
    (".github/workflows/ci.yml", "  DEPLOY_PASSWORD: ⟦pw⟧\n", "error"),
    ("a.yml", "url: postgres://app:⟦pw2⟧@localhost/app\n", "error"),
    ("a.yml", "url: postgres://postgres:postgres@localhost/app\n", None),
    ("a.yml", "url: postgres://postgres:postgres@db.acme.kr/app\n", "warning"),
    ("tests/conftest.py", "URL = 'postgres://app:⟦pw2⟧@db.acme.kr/app'\n", "warning"),
    ("a.pem", "⟦pem⟧", "error"),
    ("tests/fixtures/a.pem", "⟦pem⟧", "warning"),
    ("a.py", "token = '⟦jwt⟧'\n", "error"),
    ("a.md", "token = '⟦jwt⟧'\n", "warning"),
]


@pytest.mark.parametrize(
    ("path", "text", "severity"), SEVERITIES, ids=[f"{path}: {text!r}" for path, text, _ in SEVERITIES]
)
def test_how_bad_a_value_is_depends_on_where_it_stands(path: str, text: str, severity: str | None) -> None:
    assert [finding.severity for finding in look(path, text)] == ([severity] if severity else [])


def test_the_key_of_a_firebase_web_app_is_public_by_design_and_only_a_warning() -> None:
    key = TOKENS["secret.google-api-key"]
    text = f"const config = {{ apiKey: '{key}', authDomain: 'x.firebaseapp.com' }};"
    assert [finding.severity for finding in check_contents("firebase.ts", text.encode())] == ["warning"]
    assert [finding.severity for finding in check_contents("maps.ts", f"key='{key}'".encode())] == ["error"]


def test_the_token_that_supabase_gives_to_every_browser_is_no_secret() -> None:
    assert check_contents("a.ts", f"const key = '{jwt(role='anon', iss='supabase')}'".encode()) == []
    assert check_contents("a.ts", f"const key = '{jwt(role='service_role', iss='supabase')}'".encode()) != []


def test_the_hash_of_a_password_is_a_warning() -> None:
    bcrypt = "$2" + "b$12$" + letters("bcrypt", 53)
    django = "pbkdf2_" + "sha256$600000$" + letters("salt", 22) + "$" + letters("hash", 43) + "="
    for value in (bcrypt, django):
        text = f'[{{"username": "kim", "password": "{value}"}}]'
        found = check_contents("fixture.json", text.encode())
        assert [(finding.rule, finding.severity) for finding in found] == [("secret.password-hash", "warning")]


def test_errors_are_not_lost_behind_many_warnings() -> None:
    text = "".join(f"PASSWORD_{number}=changeme\n" for number in range(100)) + "DB_PASSWORD=⟦pw⟧\n"
    found = look(".env", text)
    assert len(found) == 50
    assert [finding.line for finding in found if finding.severity == "error"] == [101]


def test_the_digest_of_the_rules_is_a_hash_and_always_the_same() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", rules_digest())
    assert rules_digest() == rules_digest()
