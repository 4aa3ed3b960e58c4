"""What others wrote loses what is personal, and keeps what helps."""

from __future__ import annotations

import pytest

from journey.masking import masked, masked_behind_the_place, private_values
from journey.profiles import Profile

ADA = Profile("c-42", {"first_name": "Ada", "birth_year": 1985, "likes": ["roses"], "vip": True}, {}, ("device-c-42",))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("550 5.1.1 <ada@people.example> unknown", "550 5.1.1 <***> unknown"),
        ("550 no user ada.lovelace+x@localhost here", "550 no user *** here"),
        ("to=ada@people.example, relay=none", "to=***, relay=none"),
        ("thank-you@1 is stopped", "thank-you@1 is stopped"),
        ("thank-you@12~wind-down has begun", "thank-you@12~wind-down has begun"),
        ("ada@163.com is full", "*** is full"),
        ("thank-you~c-42~1.1.email was refused", "thank-you~c-42~1.1.email was refused"),
    ],
)
def test_an_address_goes_and_our_own_names_stay(said: str, left: str) -> None:
    assert masked(said) == left


def test_what_is_known_of_the_person_goes_where_it_stands_as_a_word() -> None:
    private = private_values(ADA, {"product": {"name": "Lamp"}, "count": 3})
    assert masked("Ada (1985) of device-c-42 bought a Lamp with roses; Adam did not", private) == (
        "*** (***) of *** bought a *** with ***; Adam did not"
    )
    assert "True" not in private


def test_where_a_template_fails_is_told_whatever_its_person_is_called() -> None:
    private = private_values(Profile("c-43", {"lang": "de", "name": "email"}))
    said = "Message 'thanks-de', email html, line 2: capitalize cannot take de."
    assert masked_behind_the_place(said, private) == "Message 'thanks-de', email html, line 2: capitalize cannot take ***."
    assert masked_behind_the_place("The name email is none.", private) == "The name *** is none."
