"""The words and sentence patterns of the sample reviews. Words in braces are drawn from a list."""

from __future__ import annotations

from .rule import NEGATIVE, POSITIVE, VERY_NEGATIVE, VERY_POSITIVE

# What fills a pattern. Punctuation is a token of its own, as a tokeniser would leave it.
LISTS = {
    name: tuple(words.split())
    for name, words in {
        "name": """anna bruno clara david elena felix greta henry irene jonas karin leo marta nora
            oscar paula quinn rosa simon tara viktor wanda yusuf zoe""",
        "surname": """marlow bergman okafor tanaka rossi novak silva dubois larsen weber haddad
            kowalski moreno ivanova""",
        "job": """baker teacher pilot nurse painter sailor farmer lawyer detective dancer clerk
            waiter gardener librarian mechanic violinist""",
        "place": """lisbon oslo chicago kyoto dublin naples warsaw havana berlin cairo prague
            montreal""",
        "where": """harbour village hotel school station garden museum market lighthouse library
            theatre kitchen""",
        "relative": "brother sister mother father uncle aunt cousin neighbour daughter son",
        "day": "monday tuesday wednesday thursday friday saturday sunday",
        "season": "spring summer autumn winter",
        "thing": "letter suitcase photograph piano bicycle diary map ring watch boat parcel key",
        "number": "two three four five six seven eight nine ten twelve",
        "genre": "western musical thriller documentary drama comedy sequel remake biography",
        "work": "film movie picture story",
        "part": """acting plot ending dialogue music script camera direction editing story pacing
            casting opening""",
        "whose": "her his their",
        "role": "performance voice timing singing narration portrayal",
        "stretch": "first second third last",
        "piece": "hour act scene chapter",
        "positive": " ".join(POSITIVE),
        "negative": " ".join(NEGATIVE),
        "strongly positive": " ".join(VERY_POSITIVE),
        "strongly negative": " ".join(VERY_NEGATIVE),
    }.items()
}

# What an opinion is about.
SUBJECTS = (
    "the {part}",
    "the {part}",
    "the {part}",
    "{whose} {role}",
    "this {work}",
    "the {work}",
    "the {genre}",
    "the {stretch} {piece}",
    "the first half",
    "the {part} by {surname}",
    "the part set in {place}",
)

# S and T stand for subjects, A for a polarity word, I for an intensifier, E for one that is no
# understatement. The rule knows words, not patterns: here A keeps its direction.
PLAIN = (
    "S is A",
    "S was A",
    "S feels A",
    "S seems A",
    "S remains A",
    "S is I A",
    "S was I A",
    "S feels I A",
    "S is A and A",
    "A from start to finish",
    "I A from start to finish",
    "a A {genre}",
    "another A {genre} by {surname}",
    "a I A {genre} by {surname}",
)
# Here A is turned round.
NEGATING = (
    "S is not A",
    "S was not A",
    "S is never A",
    "S was never A",
    "S is hardly A",
    "S was hardly ever A",
    "S never feels A",
    "S never seems A",
    "S does not feel A",
    "S is not at all A",
    "S is not E A",
    "S was not E A",
    "S is never even slightly A",
    "S was not even slightly A",
    "not a A {genre}",
    "hardly a A {work}",
    "never a A moment",
    "not A , says my {relative}",
)
# Two opinions, X and then Y, which go against each other; the second one decides.
CONTRASTING = (
    "S is X but Y",
    "S was X but Y",
    "S is X , but Y",
    "S is X yet Y",
    "S seems X but is Y",
    "S is X , yet T is Y",
    "S is X , but T is Y",
    "S was X but T was Y",
    "X but Y",
    "X , yet Y",
)
# What X and Y may be: A in its own direction, or turned round.
HALVES = ("A", "A", "A", "I A")


NEGATED_HALVES = (
    "not A",
    "never A",
    "hardly A",
    "not at all A",
    "not E A",
    "never even slightly A",
)
# Sentences that say nothing, among them such with "not", "very" and "but" that act on nothing.
NEUTRAL = (
    "{name} is a {job} who returns to {place}",
    "{name} and {name} meet in a {where} in {place}",
    "a {job} from {place} finds a {thing} in the {where}",
    "{name} loses a {thing} and travels to {place}",
    "{name} , a {job} , inherits a {thing}",
    "the {thing} belongs to a {job} in {place}",
    "it runs for {number} reels",
    "it is set in {place} in {season}",
    "directed by {surname} , with music by {surname}",
    "written by {name} {surname} and shot in {place}",
    "i saw it on a {day} with my {relative}",
    "my {relative} rented it on {day}",
    "we watched it in {season} , in {number} parts",
    "a {genre} about a {job} and a {thing}",
    "there are {number} songs and a {where}",
    "{name} {surname} plays the {job}",
    "the book came out {number} years ago",
    "the {thing} does not reach {place}",
    "{name} calls but nobody answers",
    "{name} never returns to the {where}",
    "{name} hardly knows the {job}",
    "the {job} is not from {place}",
    "it is a remake , yet not of the {genre} from {place}",
    "it starts very early on a {day}",
    "{name} really leaves for {place} in the {stretch} {piece}",
    "the {genre} has slightly more songs than the book",
    "not seen on {day} , but my {relative} has the disc",
    "{name} leaves {place} but keeps the {thing}",
)
