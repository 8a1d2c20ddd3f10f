"""What the check of a push looks at: everything that the remote would get and is not known to have."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_repositories import (
    PERSON,
    SECRET,
    Pushed,
    Repository,
    check_push,
    isolate,
    look_pushed,
    make,
    said_by_hook,
)

from shipper.check.hygiene.found import Found
from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.push import parse_updates
from shipper.check.hygiene.scopes import push
from shipper.check.hygiene.verdict import LARGEST_BYTES, check
from shipper.errors import RepositoryError

WORD = SECRET.decode()
NULL = "0" * 40


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a remote that has its first commit."""
    isolate(monkeypatch, tmp_path)
    repository = make(tmp_path / "work")
    repository.remote()
    repository.commit({"base": "1"}, "Base")
    repository.push("origin", "main")
    return repository


def files_of(repository: Repository, *arguments: str) -> list[tuple[str, bytes]]:
    return look_pushed(repository, repository.pushed(*arguments)).files


def test_the_first_push_shows_all_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    repository = make(tmp_path / "work")
    repository.remote()
    first = repository.commit({"a": SECRET, "b": "1"})
    repository.commit({"b": "2"})
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.files == [("a", SECRET), ("b", b"1"), ("b", b"2")]
    assert looked.places == [("a", first)]
    assert looked.report.title == "2 commits of main"
    assert looked.report.commits == 2


def test_only_what_is_new_is_looked_at(repository: Repository) -> None:
    repository.commit({"old": SECRET})
    repository.push("origin", "main")
    repository.commit({"new": "1"})
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.files == [("new", b"1")]
    assert looked.report.title == "1 commit of main"


def test_a_file_added_and_deleted_again_is_found_in_the_commit_that_added_it(repository: Repository) -> None:
    added = repository.commit({".env": SECRET})
    repository.commit({".env": None})
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.places == [(".env", added), (".env", added)]
    assert [finding.rule for finding in looked.report.findings] == ["name", "contents"]


def test_a_file_renamed_to_a_forbidden_name_is_found_although_its_contents_are_old(repository: Repository) -> None:
    repository.commit({"settings": "x" * 300})
    repository.push("origin", "main")
    repository.git("mv", "settings", ".env")
    commit = repository.commit()
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.places == [(".env", commit)]


def test_equal_contents_are_looked_at_once_for_each_path(repository: Repository) -> None:
    repository.commit({"a": SECRET, "b": SECRET})
    repository.commit({"a": "clean"})
    repository.commit({"a": SECRET})
    assert files_of(repository, "origin", "main") == [("a", SECRET), ("b", SECRET), ("a", b"clean")]


def test_a_line_that_stays_through_many_commits_is_told_once(repository: Repository) -> None:
    first = repository.commit({"a": b"1\n" + SECRET})
    for number in range(3):
        repository.commit({"a": b"1\n" * (number + 2) + SECRET})
    assert look_pushed(repository, repository.pushed("origin", "main")).places == [("a", first)]


def test_what_a_merge_commit_itself_adds_is_found(repository: Repository) -> None:
    branch(repository, {"theirs": "1"})
    repository.commit({"ours": "1"})
    repository.git("merge", "--quiet", "--no-commit", "side")
    merge = repository.commit({"evil": SECRET, "base": b"changed by the merge " + SECRET}, "Merge")
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert sorted(looked.places) == [("base", merge), ("evil", merge)]
    assert sorted(path for path, _ in looked.files) == ["base", "evil", "ours", "theirs"]


def test_what_an_octopus_merge_itself_adds_is_found(repository: Repository) -> None:
    sides = [branch(repository, {f"side{number}": "1"}, f"side{number}") for number in range(3)]
    repository.git("merge", "--quiet", "--no-commit", *sides)
    merge = repository.commit({"evil": SECRET}, "Merge")
    assert len(repository.git("rev-list", "--parents", "-1", "HEAD").split()) >= 4
    assert look_pushed(repository, repository.pushed("origin", "main")).places == [("evil", merge)]


def test_a_merge_that_only_joins_shows_nothing_of_its_own(repository: Repository) -> None:
    branch(repository, {"theirs": SECRET})
    repository.push("origin", "side")
    repository.commit({"ours": "1"})
    repository.git("merge", "--quiet", "--no-edit", "side")
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.files == [("ours", b"1")]
    assert looked.report.commits == 2


def test_a_conflict_settled_with_a_secret_is_found(repository: Repository) -> None:
    branch(repository, {"base": "theirs"})
    repository.commit({"base": "ours"})
    assert repository.try_git("merge", "side").returncode == 1
    merge = repository.commit({"base": SECRET}, "Merge")
    assert look_pushed(repository, repository.pushed("origin", "main")).places == [("base", merge)]


def test_an_orphan_branch_is_looked_at_from_its_root(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--orphan", "pages")
    root = repository.commit({"index.html": SECRET})
    looked = look_pushed(repository, repository.pushed("origin", "pages"))
    assert looked.places == [("index.html", root)]
    assert "git rebase" not in looked.report.findings[0].fix  # it is the last commit


def test_several_roots_joined_by_a_merge_are_all_looked_at(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--orphan", "other")
    root = repository.commit({"other": SECRET})
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--allow-unrelated-histories", "--no-edit", "other")
    assert look_pushed(repository, repository.pushed("origin", "main")).places == [("other", root)]


def test_all_refs_of_one_push_are_looked_at(repository: Repository) -> None:
    branch(repository, {"one": SECRET}, "one")
    branch(repository, {"two": SECRET}, "two")
    branch(repository, {"three": SECRET}, "three")
    branch(repository, {"four": SECRET}, "four")
    looked = look_pushed(repository, repository.pushed("origin", "one", "two", "three"))
    assert {path for path, _ in looked.files} == {"one", "two", "three"}
    assert looked.report.title == "3 commits of one, two and three"
    assert look_pushed(repository, repository.pushed("--all", "origin")).report.title == "4 commits of 4 refs"


def test_a_deleted_ref_is_said_to_send_nothing(repository: Repository) -> None:
    branch(repository, {"a": "1"})
    repository.push("origin", "side")
    looked = look_pushed(repository, repository.pushed("origin", ":side"))
    assert (looked.files, looked.texts, looked.report.title) == ([], [], "0 commits")
    assert looked.report.notes == ("refs/heads/side is deleted at the remote: nothing is sent for it.",)


def test_a_deletion_does_not_hide_what_is_pushed_beside_it(repository: Repository) -> None:
    branch(repository, {"a": "1"})
    repository.push("origin", "side")
    new = repository.commit({"b": SECRET})
    assert look_pushed(repository, repository.pushed("origin", ":side", "main")).places == [("b", new)]


def test_nothing_to_push_is_said_and_not_passed_over(repository: Repository) -> None:
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.report.title == "0 commits"
    assert looked.report.notes == ("Git named no ref to push, so there was nothing to look at.",)


def test_a_ref_on_a_known_commit_is_0_commits(repository: Repository) -> None:
    looked = look_pushed(repository, repository.pushed("origin", "main:refs/heads/again"))
    assert (looked.report.title, looked.files) == ("0 commits of again", [])


def test_a_forced_push_shows_only_the_commits_that_are_new(repository: Repository) -> None:
    repository.commit({"a": SECRET})
    repository.push("origin", "main")
    amended = repository.commit({"a": "clean", "b": SECRET}, "Amended", "--amend")
    looked = look_pushed(repository, repository.pushed("--force", "origin", "main"))
    assert looked.files == [("a", b"clean"), ("b", SECRET)]
    assert looked.places == [("b", amended)]


def test_a_remote_that_went_on_without_us_is_compared_with_what_we_know(repository: Repository) -> None:
    other = Repository(repository.path.parent / "colleague")
    repository.git("clone", "--quiet", repository.git("remote", "get-url", "origin"), str(other.path))
    unknown = other.commit({"theirs": SECRET})
    other.push("origin", "main")
    ours = repository.commit({"ours": SECRET})
    pushed = repository.pushed("--force", "origin", "main")
    assert unknown.encode() in pushed.given
    looked = look_pushed(repository, pushed)
    assert (looked.files, looked.places) == ([("ours", SECRET)], [("ours", ours)])


def test_a_push_to_an_address_leaves_out_what_the_pushed_refs_have(repository: Repository) -> None:
    address = repository.git("remote", "get-url", "origin")
    repository.commit({"new": "1"})
    pushed = repository.pushed(address, "main")
    assert pushed.remote == pushed.url == address
    assert look_pushed(repository, pushed).files == [("new", b"1")]
    to_a_new_ref = look_pushed(repository, repository.pushed(address, "main:refs/heads/new"))
    assert to_a_new_ref.files == [("base", b"1"), ("new", b"1")]


def test_tracking_refs_do_not_vouch_for_another_address_that_is_pushed_to(repository: Repository) -> None:
    public = make(repository.path.parent / "public.git", "--bare")
    secret = repository.commit({"internal": SECRET})
    repository.push("origin", "main")
    repository.git("remote", "set-url", "--push", "origin", str(public.path))
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.places == [("internal", secret)]
    assert "git filter-repo" in looked.report.findings[0].fix
    assert "fetched from another address" in looked.report.notes[0]


@pytest.mark.parametrize(
    ("fetched", "pushed", "is_same"),
    [
        ("https://github.com/a/b.git", "git@github.com:a/b.git", True),
        ("https://github.com/a/b", "ssh://git@github.com/a/b.git", True),
        ("https://user@github.com/a/b/", "https://github.com/a/b.git", True),
        ("https://github.com/a/b.git", "git@github.com:a/public.git", False),
        ("https://git.example.com/a/b.git", "git@github.com:a/b.git", False),
        ("https://127.0.0.1:8001/a", "https://127.0.0.1:8002/a", False),
        ("ssh://git@host:2222/a/b", "https://host/a/b", True),
    ],
)
def test_one_place_has_several_addresses(repository: Repository, fetched: str, pushed: str, is_same: bool) -> None:
    repository.git("remote", "set-url", "origin", fetched)
    repository.commit({"new": "1"})
    line = f"refs/heads/main {repository.id('main')} refs/heads/other {NULL}\n"
    looked = look_pushed(repository, Pushed("origin", pushed, line.encode()))
    assert looked.files == ([] if is_same else [("base", b"1")]) + [("new", b"1")]


def test_a_remote_whose_name_lies_below_another_does_not_vouch_for_it(repository: Repository) -> None:
    repository.remote("origin/private")
    private = repository.commit({"private": SECRET})
    repository.push("origin/private", "main")
    assert look_pushed(repository, repository.pushed("origin", "main")).places == [("private", private)]


def test_another_remote_does_not_vouch_for_this_one(repository: Repository) -> None:
    secret = repository.commit({"a": SECRET})
    repository.remote("backup")
    repository.push("backup", "main")
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.places == [("a", secret)]
    assert "has been pushed before" in looked.report.findings[0].fix


def test_a_local_branch_named_like_a_tracking_ref_does_not_hide_anything(repository: Repository) -> None:
    secret = repository.commit({"a": SECRET})
    repository.git("branch", "origin/hidden")
    assert look_pushed(repository, repository.pushed("origin", "main")).places == [("a", secret)]


def test_an_expression_with_blanks_can_be_pushed(repository: Repository) -> None:
    secret = repository.commit({"a": SECRET})
    pushed = repository.pushed("origin", "HEAD@{0 days ago}:refs/heads/odd")
    assert pushed.given.startswith(b"HEAD@{0 days ago} ")
    assert look_pushed(repository, pushed).places == [("a", secret)]


def test_attributes_and_nul_bytes_hide_nothing(repository: Repository) -> None:
    repository.commit({".gitattributes": "* -diff binary\n", "a.txt": SECRET, "b": b"\0" + SECRET})
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert [path for path, _ in looked.places] == ["a.txt", "b"]


def test_a_replaced_commit_and_a_replaced_file_are_looked_at_as_they_are(repository: Repository) -> None:
    bad = repository.commit({"a": SECRET})
    good = repository.git("commit-tree", "-m", "Clean", "-p", f"{bad}^", f"{bad}^^{{tree}}")
    repository.git("replace", bad, good)
    repository.git("replace", repository.blob(SECRET), repository.blob(b"clean"))
    assert look_pushed(repository, repository.pushed("origin", "main")).places == [("a", bad)]


def test_a_graft_that_hides_a_parent_hides_nothing(repository: Repository) -> None:
    bad = repository.commit({"a": SECRET})
    top = repository.commit({"a": "clean"})
    (repository.path / ".git/info/grafts").write_text(f"{top} {repository.id('origin/main')}\n", "ascii")
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.places == [("a", bad)]
    assert any("grafts" in note for note in looked.report.notes)


def test_what_a_graft_adds_is_sent_and_so_it_is_looked_at(repository: Repository) -> None:
    tree = repository.git("mktree", given=f"100644 blob {repository.blob(SECRET)}\ta\n".encode())
    other = repository.git("commit-tree", "-m", "Other", tree)
    top = repository.commit({"b": "1"})
    (repository.path / ".git/info/grafts").write_text(f"{top} {repository.id('HEAD^')} {other}\n", "ascii")
    pushed = repository.pushed("origin", "main")
    assert look_pushed(repository, pushed).places == [("a", other)]
    repository.push("origin", "main")
    bare = Repository(repository.path.parent / "work-origin.git")
    assert bare.git("cat-file", "-t", other) == "commit"  # git has really sent it


def test_messages_of_commits_are_looked_at(repository: Repository) -> None:
    commit = repository.commit({"a": "1"}, f"Subject\n\nthe word is {WORD}")
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.texts.count(f"Subject\n\nthe word is {WORD}\n".encode()) == 1
    [finding] = looked.report.findings
    assert (finding.path, finding.line, finding.commit) == ("", None, commit)
    assert finding.message == "In the message of the commit: A secret (6 characters)."
    assert "git commit --amend, with another message" in finding.fix


def test_a_very_long_message_is_looked_at_to_its_end(repository: Repository) -> None:
    message = (b"x" * 99 + b"\n") * (2 * LARGEST_BYTES // 100) + SECRET
    commit = repository.object("commit", head_of(repository) + message)
    repository.git("update-ref", "refs/heads/long", commit)
    looked = look_pushed(repository, repository.pushed("origin", "long"))
    assert (looked.places, looked.report.notes) == ([("", commit)], ())


def test_two_secrets_in_one_line_are_two_findings(repository: Repository) -> None:
    commit = repository.commit({"a": "one two"})
    pushed = repository.pushed("origin", "main")

    def both(path: str, data: bytes, *, shaped_only: bool = False) -> list[Found]:
        return [Found("r", "error", 1, word, "", "") for word in ("one", "two") if word.encode() in data]

    with GitRepository.open(repository.path) as opened:
        report = check(push(opened, pushed.given, pushed.remote, pushed.url), lambda path, size, read: None, both)
    assert [(finding.message, finding.commit) for finding in report.findings] == [("one", commit), ("two", commit)]


def test_an_empty_commit_is_looked_at_by_its_message(repository: Repository) -> None:
    commit = repository.commit(message=WORD)
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert (looked.files, looked.places) == ([], [("", commit)])


@pytest.mark.parametrize("encoding", ["euc-kr", "cp949", "utf-16-le", "no-such-encoding"])
def test_a_message_in_another_encoding_is_read_as_git_would_show_it(repository: Repository, encoding: str) -> None:
    text = f"비밀번호 {WORD}\n"
    python_encoding = "utf-8" if encoding == "no-such-encoding" else encoding
    raw = text.encode(python_encoding)
    commit = repository.object("commit", head_of(repository, f"encoding {encoding}") + raw)
    repository.git("update-ref", "refs/heads/odd", commit)
    looked = look_pushed(repository, repository.pushed("origin", "odd"))
    assert text.encode() in looked.texts
    assert looked.places == [("", commit)]


def test_names_of_authors_are_looked_at_once(repository: Repository) -> None:
    repository.commit({"a": "1"}, "One", f"--author={WORD} <x@example.com>")
    repository.commit({"a": "2"}, "Two", f"--author={WORD} <x@example.com>")
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.texts.count(f"{WORD} <x@example.com>".encode()) == 1
    assert f"{PERSON['NAME']} <{PERSON['EMAIL']}>".encode() in looked.texts
    [finding] = looked.report.findings
    assert "git commit --amend --reset-author" in finding.fix


def test_signatures_are_not_shown_to_the_rules_but_what_is_beside_them_is(repository: Repository) -> None:
    armour = "-----BEGIN " + "PGP SIGNATURE-----"
    end = "-----END " + "PGP SIGNATURE-----"
    signature = f"gpgsig {armour}\n \n c2lnbmF0dXJl\n {end}"
    merged = (
        f"mergetag object {repository.id('HEAD')}\n type commit\n tag v1\n \n told {WORD}\n {armour}\n YWJj\n {end}"
    )
    commit = repository.object("commit", head_of(repository, signature, merged) + b"Message\n")
    repository.git("update-ref", "refs/heads/signed", commit)
    looked = look_pushed(repository, repository.pushed("origin", "signed"))
    shown = b"\n".join(looked.texts)
    assert b"c2lnbmF0dXJl" not in shown
    assert b"YWJj" not in shown
    assert looked.places == [("", commit)]
    assert looked.report.findings[0].message.startswith("In a header of the commit: ")


def test_an_annotated_tag_and_the_tag_that_it_tags_are_looked_at(repository: Repository) -> None:
    repository.git("tag", "--annotate", "-m", f"inner {WORD}", "inner")
    repository.git("tag", "--annotate", "-m", f"outer {WORD}", "outer", "inner")
    looked = look_pushed(repository, repository.pushed("origin", "outer"))
    assert looked.places == [("", repository.id("outer")), ("", repository.id("inner"))]
    assert "In the message of the tag" in looked.report.findings[0].message
    assert "git tag -f -a outer" in looked.report.findings[0].fix
    assert looked.report.title == "0 commits of tags/outer"


def test_commits_that_only_a_tag_reaches_are_looked_at(repository: Repository) -> None:
    secret = repository.commit({"a": SECRET})
    repository.git("tag", "--annotate", "-m", "t", "annotated")
    repository.git("tag", "light")
    repository.git("reset", "--quiet", "--hard", "HEAD^")
    for tag in ("annotated", "light"):
        assert look_pushed(repository, repository.pushed("origin", tag)).places == [("a", secret)]


def test_a_tag_on_a_file_is_looked_at(repository: Repository) -> None:
    blob = repository.blob(SECRET)
    repository.git("tag", "light", blob)
    repository.git("tag", "--annotate", "-m", "t", "annotated", blob)
    looked = look_pushed(repository, repository.pushed("origin", "--tags"))
    assert looked.files == [("refs/tags/annotated", SECRET), ("refs/tags/light", SECRET)]
    assert looked.places == [("refs/tags/annotated", ""), ("refs/tags/light", "")]


def test_a_tag_on_a_tree_is_looked_at(repository: Repository) -> None:
    inner = repository.git("mktree", given=f"100644 blob {repository.blob(SECRET)}\tdeep\n".encode())
    tree = repository.git("mktree", given=f"040000 tree {inner}\tfolder\n".encode())
    repository.git("tag", "--annotate", "-m", "t", "annotated", tree)
    assert files_of(repository, "origin", "annotated") == [("folder/deep", SECRET)]
    assert files_of(repository, "origin", f"{tree}:refs/tags/light") == [("folder/deep", SECRET)]


def test_notes_are_looked_at(repository: Repository) -> None:
    repository.git("notes", "add", "-m", f"note {WORD}")
    looked = look_pushed(repository, repository.pushed("origin", "refs/notes/commits"))
    assert [data for _, data in looked.files] == [f"note {WORD}\n".encode()]
    assert "git notes" in looked.report.findings[0].fix


def test_the_name_of_a_ref_is_looked_at(repository: Repository) -> None:
    looked = look_pushed(repository, repository.pushed("origin", f"main:refs/heads/{WORD}\u2028x"))
    [finding] = looked.report.findings
    assert finding.message.startswith("In the name of the ref: ")


def test_a_submodule_is_noted(repository: Repository) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},libs/x")
    repository.git("commit", "--quiet", "--message=x")
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.names == []
    assert any("libs/x" in note for note in looked.report.notes)


def test_a_pointer_of_git_lfs_is_noted(repository: Repository) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 12345\n"
    repository.commit({"big.psd": pointer})
    looked = look_pushed(repository, repository.pushed("origin", "main"))
    assert looked.files == [("big.psd", pointer.encode())]
    assert "1 file (big.psd) is in Git LFS: what the pointer stands for was not looked at." in looked.report.notes


def test_the_way_out_of_the_last_commit_is_to_amend_it(repository: Repository) -> None:
    repository.commit({"web/.env": "x"})
    [finding] = look_pushed(repository, repository.pushed("origin", "main")).report.findings
    assert finding.fix.startswith("Rotate it. It is in your last commit: git rm --cached -- :/web/.env, add the line")
    assert finding.fix.endswith("then git commit --amend --no-edit.")


def test_the_way_out_of_an_older_commit_is_a_rebase(repository: Repository) -> None:
    bad = repository.commit({"a": SECRET})
    repository.commit({"b": "1"})
    [finding] = look_pushed(repository, repository.pushed("origin", "main")).report.findings
    assert f"git rebase -i {bad[:12]}^, choose edit for {bad[:12]}, then: take it out of the file" in finding.fix


def test_the_way_out_of_a_root_and_of_history_with_merges_is_told_as_git_needs_it(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--orphan", "new")
    repository.commit({".env": "x"})
    branch(repository, {"a": "1"})
    repository.commit({"b": "1"})
    repository.git("merge", "--quiet", "--no-edit", "side")
    [finding] = look_pushed(repository, repository.pushed("origin", "new")).report.findings
    assert "git rebase -i --rebase-merges --root, choose edit" in finding.fix


def test_the_way_out_of_another_branch_begins_with_a_switch(repository: Repository) -> None:
    branch(repository, {"a": SECRET})
    [finding] = look_pushed(repository, repository.pushed("origin", "side")).report.findings
    assert "git switch side, then: git rebase -i" in finding.fix


def test_git_push_is_stopped_by_the_hook_and_passes_when_it_is_clean(repository: Repository) -> None:
    repository.hook("pre-push", check_push)
    repository.commit({"sub/a": SECRET})
    refused = repository.try_git("push", "origin", "main", folder=repository.path / "sub")
    assert refused.returncode == 1
    assert said_by_hook(refused)["title"] == "1 commit of main"
    assert said_by_hook(refused)["files"] == [f"sub/a={WORD}"]
    repository.commit({"sub/a": "clean"}, "Clean", "--amend")
    passed = repository.try_git("push", "origin", "main")
    assert passed.returncode == 0
    assert said_by_hook(passed)["files"] == ["sub/a=clean"]
    assert repository.id("origin/main") == repository.id("main")


def test_git_push_from_a_linked_working_tree_is_checked(repository: Repository) -> None:
    repository.hook("pre-push", check_push)
    linked = Repository(repository.path.parent / "linked")
    repository.git("worktree", "add", "--quiet", str(linked.path), "-b", "other")
    linked.commit({"a": SECRET})
    ended = linked.try_git("push", "origin", "other")
    assert ended.returncode == 1
    assert said_by_hook(ended)["files"] == [f"a={WORD}"]


@pytest.mark.parametrize(
    "given",
    [b"refs/heads/main\n", b"refs/heads/main abc refs/heads/main def\n", b"not git's input at all\n", b"\xff\n"],
    ids=["one word", "short ids", "words", "bytes"],
)
def test_input_that_is_not_of_git_is_refused(given: bytes) -> None:
    with pytest.raises(RepositoryError) as caught:
        parse_updates(given)
    assert "pre-push" in caught.value.what


def test_a_pushed_object_that_is_not_there_is_an_error(repository: Repository) -> None:
    line = f"refs/heads/main {'1' * 40} refs/heads/main {NULL}\n".encode()
    with pytest.raises(RepositoryError) as caught:
        look_pushed(repository, Pushed("origin", repository.git("remote", "get-url", "origin"), line))
    assert "111111111111" in caught.value.what


def branch(repository: Repository, files: dict[str, str | bytes | None], name: str = "side") -> str:
    """Commit files on a new branch and return to the one that we were on."""
    here = repository.git("symbolic-ref", "--short", "HEAD")
    repository.git("switch", "--quiet", "-c", name)
    repository.commit(files, f"On {name}")
    repository.git("switch", "--quiet", here)
    return name


def head_of(repository: Repository, *headers: str) -> bytes:
    """Return the beginning of a commit without changes after HEAD, with headers of our own."""
    person = f"{PERSON['NAME']} <{PERSON['EMAIL']}> 1767236400 +0900"
    lines = [f"tree {repository.id('HEAD^{tree}')}", f"parent {repository.id('HEAD')}"]
    lines += [f"author {person}", f"committer {person}", *headers]
    return "\n".join(lines).encode() + b"\n\n"
