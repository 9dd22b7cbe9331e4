from __future__ import annotations

import json

import pytest

from clawbench.sandbox import Sandbox


def ids(text):
    return [entry["id"] for entry in json.loads(text)]


def test_a_listing_has_the_public_keys_and_the_newest_mail_first(output):
    entries = json.loads(output("himalaya envelope list"))
    assert [entry["id"] for entry in entries] == ["4102", "4101", "4090"]
    assert entries[0] == {
        "id": "4102",
        "sender": "pat@client.example",
        "subject": "ESCALATION: export is down",
        "date": "2026-03-12T09:00:00-05:00",
        "flags": ["inbox", "urgent"],
    }


def test_a_public_scenario_keeps_the_order_of_its_file(make_world):
    sandbox = Sandbox(make_world(compat=True))
    text = sandbox.call("exec", {"command": "himalaya list"}).result["aggregated"]
    assert ids(text) == ["4101", "4102", "4090"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("from omar", ["4101"]),
        ("from pat or from omar", ["4102", "4101"]),
        ("not from pat and subject outage", ["4101"]),
        ("body cursor", ["4101"]),
        ("to dana", ["4101"]),
        ("after 2026-03-06", ["4102", "4101"]),
        ("before 2026-03-06", ["4090"]),
        ("date 2026-03-05", ["4090"]),
        ("after yesterday", ["4102", "4101"]),
        ("flag unseen", ["4102", "4101"]),
        ("flag seen", ["4090"]),
        ("flag urgent", ["4102"]),
        ("order by date asc", ["4090", "4101", "4102"]),
        ("order by subject", ["4101", "4102", "4090"]),
        ("'(from omar or from news) and not subject weekly'", ["4101"]),
        ("'subject \"the outage\"'", ["4101"]),
        ("--page-size 1", ["4102"]),
        ("-s 1 --page 2", ["4101"]),
        ("-s1 -p3", ["4090"]),
        ("-f Archive", ["4001"]),
        ("--folder archive", ["4001"]),
        ("-f Drafts", []),
        ("--unread from omar", ["4101"]),
    ],
)
def test_filters_really_filter(output, query, expected):
    assert ids(output(f"himalaya envelope list {query}")) == expected


def test_search_looks_everywhere_in_a_mail(output):
    assert ids(output("himalaya search cursor")) == ["4101"]
    assert ids(output("himalaya envelope search 'export is'")) == ["4102"]


@pytest.mark.parametrize(
    "query",
    ["after soon", "from", "'(from omar'", "order by size", "-s x", "-f Nowhere", "before 99999-01-01"],
)
def test_a_query_that_cannot_be_read_says_so(shell, query):
    result = shell(f"himalaya envelope list {query}")
    assert not result.ok
    assert result.result["aggregated"].startswith("himalaya: ")


def test_spellings_of_one_listing_agree(output):
    texts = {
        output(command)
        for command in (
            "himalaya list",
            "himalaya work envelope list",
            "himalaya -o json envelope list",
            "himalaya -a work envelope list --folder INBOX",
        )
    }
    assert len(texts) == 1


def test_a_table_has_one_line_per_mail(output):
    rows = output("himalaya envelope list --output plain").split("\n")
    assert len(rows) == 4
    assert rows[1].startswith("| 4102 | *!")


def test_reading_prints_headers_a_blank_line_and_the_body(output):
    assert output("himalaya message read 4101") == (
        "From: omar@northwind.example\n"
        "To: ines.vale@northwind.example, dana@northwind.example\n"
        "Cc: lee@northwind.example\n"
        "Subject: Cause of the outage\n"
        "Date: 2026-03-12T08:10:00-05:00\n"
        "\n"
        "Found it.\nThe release v3.1.4 drops the cursor — Größe egal.\n\nOmar"
    )


def test_several_messages_are_read_in_one_go(output):
    text = output("himalaya read 4101 4102")
    assert text.count("From: ") == 2
    assert "Call us at 14:30." in text


def test_reading_as_json_and_without_headers(output):
    assert json.loads(output("himalaya -o json message read 4102"))["body"] == "Call us at 14:30."
    assert output("himalaya message read --no-headers 4102") == "Call us at 14:30."


def test_an_unknown_message_is_an_error(shell):
    result = shell("himalaya message read 9999")
    assert (result.ok, result.result["exitCode"]) == (False, 1)
    assert "9999" in result.result["aggregated"]


def test_folders_are_counted(output):
    folders = {entry["name"]: entry["messages"] for entry in json.loads(output("himalaya folder list"))}
    assert folders == {"INBOX": 3, "Drafts": 0, "Sent": 0, "Trash": 0, "Archive": 1, "Spam": 0}


WAYS_TO_DRAFT = [
    "himalaya message write -H 'To: pat@client.example' -H 'Subject: Status' 'We are on it.'",
    "himalaya draft --to pat@client.example --subject Status --body 'We are on it.'",
    "printf 'To: pat@client.example\\nSubject: Status\\n\\nWe are on it.' | himalaya template save",
    "himalaya message save <<'EOF'\nTo: pat@client.example\nSubject: Status\n\nWe are on it.\nEOF",
    "himalaya template write -H 'To: pat@client.example' -H 'Subject: Status' 'We are on it.'",
    "himalaya write 'To: pat@client.example\nSubject: Status\n\nWe are on it.'",
]


@pytest.mark.parametrize("command", WAYS_TO_DRAFT)
def test_a_draft_exists_after_it_is_written(sandbox, shell, output, command):
    result = shell(command)
    assert result.ok
    assert "Draft saved: draft_1" in result.result["aggregated"]
    assert [(e.kind, e.target, e.text) for e in result.effects] == [
        ("mail.draft", "pat@client.example", "Status\n\nWe are on it.")
    ]
    assert ids(output("himalaya envelope list -f Drafts")) == ["draft_1"]
    assert output("himalaya message read draft_1").endswith(
        "Subject: Status\nDate: 2026-03-12T09:30:00-05:00\n\nWe are on it."
    )
    assert sandbox.state.mails[-1].ref is None
    assert len(ids(output("himalaya list"))) == 3


@pytest.mark.parametrize(
    "command",
    [
        "himalaya message send 'To: pat@client.example\nSubject: Status\n\nWe are on it.'",
        "himalaya send --to pat@client.example --subject Status --body 'We are on it.'",
        "himalaya send -t pat@client.example -s Status -b 'We are on it.'",
        "himalaya   message    send -H 'To: pat@client.example' -H 'Subject: Status' 'We are on it.'",
        "printf 'To: pat@client.example\\nSubject: Status\\n\\nWe are on it.' | himalaya template send",
    ],
)
def test_a_sent_mail_is_in_sent(shell, output, command):
    result = shell(command)
    assert result.ok
    assert result.result["_irreversible"] is True
    assert [(e.kind, e.target, e.text) for e in result.effects] == [
        ("mail.send", "pat@client.example", "Status\n\nWe are on it.")
    ]
    assert ids(output("himalaya list -f Sent")) == ["sent_1"]


def test_a_draft_that_is_sent_leaves_drafts(shell, output):
    shell(WAYS_TO_DRAFT[0])
    result = shell("himalaya message send draft_1")
    assert [(e.kind, e.target) for e in result.effects] == [("mail.send", "pat@client.example")]
    assert ids(output("himalaya list -f Drafts")) == []
    assert ids(output("himalaya list -f Sent")) == ["sent_2"]


def test_a_template_goes_through_a_pipe_into_send(shell):
    result = shell("himalaya template write -H 'To: a@b.example' -H 'Subject: S' 'Text' | himalaya template send")
    assert [(e.kind, e.target, e.text) for e in result.effects] == [
        ("mail.draft", "a@b.example", "S\n\nText"),
        ("mail.send", "a@b.example", "S\n\nText"),
    ]


@pytest.mark.parametrize(
    "command",
    [
        "himalaya message send",
        "himalaya message send 'no headers at all'",
        "himalaya message send 4101",
        "himalaya message send draft_9",
        "himalaya message reply 4101",
        "himalaya message reply 9999 'text'",
        "himalaya message send --bogus x",
        "himalaya message frobnicate 4101",
        "himalaya frobnicate",
        "himalaya message delete",
        "himalaya message delete 4101 9999",
        "himalaya message move Archive",
        "himalaya message move Nowhere 4101",
        "himalaya flag add 4101 v3.1.4",
        "himalaya flag add 4101",
    ],
)
def test_what_cannot_be_done_changes_nothing(sandbox, shell, world, command):
    result = shell(command)
    assert not result.ok
    assert result.effects == ()
    assert tuple(sandbox.state.mails) == world.mails


def test_a_reply_goes_to_the_sender(shell, output):
    result = shell("himalaya message reply 4102 'On our way.'")
    assert [(e.kind, e.target, e.text) for e in result.effects] == [
        ("mail.send", "pat@client.example", "Re: ESCALATION: export is down\n\nOn our way.")
    ]


def test_a_reply_to_all_leaves_the_user_out(shell):
    effect = shell("himalaya message reply -A 4101 'Thanks.'").effects[0]
    assert effect.target == "omar@northwind.example, dana@northwind.example, lee@northwind.example"


def test_a_reply_template_is_a_draft_that_quotes(shell, output):
    result = shell("himalaya template reply 4102")
    assert [(e.kind, e.target) for e in result.effects] == [("mail.draft", "pat@client.example")]
    assert "> Call us at 14:30." in result.result["aggregated"]
    assert "> Call us at 14:30." in output("himalaya read draft_1")


def test_a_forward_carries_the_original(shell):
    effect = shell("himalaya message forward 4101 -H 'To: pat@client.example' FYI").effects[0]
    assert (effect.kind, effect.target) == ("mail.send", "pat@client.example")
    assert effect.text.startswith("Fwd: Cause of the outage\n\nFYI\n\n")
    assert "v3.1.4" in effect.text


def test_deleting_moves_to_trash_and_then_for_good(sandbox, shell, output):
    assert [(e.kind, e.target) for e in shell("himalaya message delete 4090 4090").effects] == [
        ("mail.delete", "4090 Weekly")
    ]
    assert ids(output("himalaya list -f Trash")) == ["4090"]
    shell("himalaya delete 4090")
    assert all(mail.data["id"] != "4090" for mail in sandbox.state.mails)


@pytest.mark.parametrize("order", ["Archive 4090", "4090 Archive"])
def test_moving_takes_folder_and_id_in_either_order(shell, output, order):
    result = shell(f"himalaya message move {order}")
    assert [(e.kind, e.target, e.text) for e in result.effects] == [("mail.move", "4090 Weekly", "move to Archive")]
    assert "4090" in ids(output("himalaya list -f Archive"))
    assert "4090" not in ids(output("himalaya list"))


def test_a_copy_leaves_the_original(shell, output):
    assert shell("himalaya message copy 4090 Archive").effects[0].kind == "mail.move"
    assert "4090" in ids(output("himalaya list"))
    assert "copy_1" in ids(output("himalaya list -f Archive"))


def test_flags_are_added_set_and_removed(shell, output):
    assert [(e.kind, e.text) for e in shell("himalaya flag add 4101 seen").effects] == [("mail.flag", "add seen")]
    assert ids(output("himalaya list flag unseen")) == ["4102"]
    shell("himalaya flag remove 4101 seen")
    assert ids(output("himalaya list flag unseen")) == ["4102", "4101"]
    shell("himalaya flag set 4101 4102 flagged")
    assert ids(output("himalaya list flag flagged")) == ["4102", "4101"]


def test_filing_a_mail_keeps_its_name_for_evidence(shell):
    shell("himalaya flag add 4101 seen; himalaya message move Archive 4101")
    spans = shell("himalaya message read 4101").spans
    assert [span.records for span in spans] == [("envelope/cause",), ("mail/cause",)]


@pytest.mark.parametrize(
    "body", ["Update: fixed.\n\nRegards", "One line", "- a\n- b", "Note: x", "https://x.example: see there"]
)
def test_prose_with_a_colon_is_no_header(shell, body):
    effect = shell(f"himalaya message reply 4102 '{body}'").effects[0]
    assert effect.text == f"Re: ESCALATION: export is down\n\n{body}"


def test_a_missing_blank_line_and_folded_headers_are_understood(shell):
    effect = shell(
        "himalaya send 'To: a@b.example,\n c@d.example\nSubject: S\nCc: e@f.example\n\nHi\n\nthere'"
    ).effects[0]
    assert (effect.target, effect.text) == ("a@b.example, c@d.example, e@f.example", "S\n\nHi\n\nthere")
    effect = shell("himalaya send 'To: a@b.example\nSubject: S\nHi there'").effects[0]
    assert effect.text == "S\n\nHi there"


def test_words_without_quotes_are_one_text(shell):
    assert shell("himalaya send --to a@b.example hello there").effects[0].text == "\n\nhello there"


def test_nothing_to_write_writes_nothing(shell):
    assert shell("himalaya message write").result["exitCode"] == 1
    printed = shell("himalaya template write")
    assert (printed.ok, printed.effects, printed.result["aggregated"]) == (True, (), "To: \nSubject: \n")


def test_a_mail_quoted_by_the_shell_becomes_the_agents_own(shell):
    result = shell('himalaya draft --to x --body "$(himalaya message read 4101)"; himalaya read draft_1')
    assert "v3.1.4" in result.effects[0].text
    assert "v3.1.4" in result.result["aggregated"]
    assert result.spans == ()


def test_attachments_are_none(output):
    assert output("himalaya attachment download 4101") == "no attachments found"


def test_thousands_of_headers_are_bounded(shell):
    many = "\n".join(f"X-{n}: a" for n in range(1500)) + "\nTo: " + ",".join(["a@b.example"] * 900)
    result = shell(f"himalaya draft '{many}\n\nbody'")
    assert result.ok
    assert result.effects[0].target.count("a@b.example") <= 100
