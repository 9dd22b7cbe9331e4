from __future__ import annotations

import pytest

from .mock_shell import Mock


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("", "Thu Mar 12 09:05:00 -05 2026"),
        ("+%F", "2026-03-12"),
        ("'+%Y-%m-%dT%H:%M:%S%z'", "2026-03-12T09:05:00-0500"),
        ("'+%A, %B %-d, %Y'", "Thursday, March 12, 2026"),
        ("'+%a %b %e %I:%M %p %l %P'", "Thu Mar 12 09:05 AM  9 am"),
        ("+%s", "1773324300"),
        ("'+%j %u %w %V %G %U %y %C'", "071 4 4 11 2026 10 26 20"),
        ("'+%D %T %R %n%t%% %:z %Q'", "03/12/26 09:05:00 09:05 \n\t% -05:00 %Q"),
        ("-I", "2026-03-12"),
        ("-Iseconds", "2026-03-12T09:05:00-05:00"),
        ("--iso-8601=minutes", "2026-03-12T09:05-05:00"),
        ("-u", "Thu Mar 12 14:05:00 UTC 2026"),
        ("-R", "Thu, 12 Mar 2026 09:05:00 -0500"),
        ("-d tomorrow +%F", "2026-03-13"),
        ("--date='+1 day' '+%F %T'", "2026-03-13 09:05:00"),
        ("-d '-2 days' +%F", "2026-03-10"),
        ("-d '2 weeks ago' +%F", "2026-02-26"),
        ("-d 2026-04-01 '+%F %T'", "2026-04-01 00:00:00"),
        ("-d '2026-03-12 14:30' +%s", "1773343800"),
        ("-d 2026-03-12T14:30:00Z +%T", "09:30:00"),
        ("-d '2026-03-12T14:30:00+02:00' +%T", "07:30:00"),
        ("-d 'next monday' +%F", "2026-03-16"),
        ("-d 'next thursday' +%F", "2026-03-19"),
        ("-d thursday +%F", "2026-03-12"),
        ("-d 'last friday' +%F", "2026-03-06"),
        ("-d 'tomorrow 14:30' '+%F %R'", "2026-03-13 14:30"),
        ("-d 'March 14, 2026 3pm' '+%F %R'", "2026-03-14 15:00"),
        ("-d '14 Mar' +%F", "2026-03-14"),
        ("-d '3/14/2026' +%F", "2026-03-14"),
        ("-d '1 month' +%F", "2026-04-12"),
        ("-d 'next week' +%F", "2026-03-19"),
        ("-d @1773324300 +%R", "09:05"),
        ("-d '2026-03-31 + 1 month' +%F", "2026-05-01"),
        ("-d 'noon' +%R", "12:00"),
    ],
)
def test_date_is_the_scenarios(words, shown):
    assert Mock().text(f"date {words}") == shown


@pytest.mark.parametrize(
    "words",
    [
        "-d 2026-13-01",
        "-d 'the day after'",
        "-d '9999-12-31 + 1 week'",
        "-d '999999999 years'",
        "-d march",
        "-d 'next blue moon'",
        "-d '25:00'",
        "-d '13pm'",
        "nonsense",
        "-f file",
        "-Iweeks",
        "--set=now",
        f"-d '{'1 day ' * 100}'",
    ],
)
def test_a_date_that_means_nothing_is_an_error(words):
    result = Mock().run(f"date {words}")
    assert result.exit == 1
    assert result.lines[0].text.startswith("date: ")


def test_time_zones():
    mock = Mock()
    assert mock.text("TZ=UTC date +%R") == "14:05"
    assert mock.text("TZ=America/Chicago date +%R") == "09:05"
    assert mock.run("TZ=Asia/Tokyo date").exit == 1


def test_time_stands_still():
    mock = Mock()
    assert mock.text("date +%s%N; date +%s%N").split("\n") == ["1773324300000000000"] * 2
