"""Reasoning within a model's content (S11, S4), through the whole system. What each mark is, and that it may be torn
anywhere, is tests/unit/test_model_reasoning.c's."""

import json

import pytest

import apis
from ctl import ctl
from servers import name, script

BLOCKS = {
    "think": ["<think>", "so ", "and so", "</think>", "\n\n"],
    "torn": ["<th", "ink>so", " </th", "ink>\n"],
    "two": ["\n<think>so</think>", "\n<think>", "and so</think>"],
    "kimi": ["\u25c1think\u25b7so\u25c1", "/think\u25b7"],
    "magistral": ["[THI", "NK]so[/THINK]"],
    "harmony": ["<|channel|>", "analysis", "<|message|>", "so", "<|end|>", "<|start|>", "assistant", "<|channel|>", "final",
                "<|message|>"],
}
LONE = ["so ", "and so", "</think>", "\n\n", "Hel", "lo"]


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def streams(request):
    return request.param


@pytest.fixture(params=apis.BOTH, ids=lambda api: api.name)
def api(site, request):
    return request.param(site)


@pytest.fixture
def own(site):
    """The shared pool with a chatbot whose model nobody else asks; said(): what the log says of that model."""
    model = name("model")
    api = apis.Headless(site.for_new_tenant(model=model))
    api.said = lambda: [line for line in site.banter.text().splitlines() if f"model {model} at http" in line]
    return api


def tokens_of(events):
    return [event["token"] for event in events if event["type"] == "token"]


def streamed(api, tokens, **own):
    """The tokens that a client got."""
    events = api.stream(script(name("reasons"), tokens=tokens), **own).rest()
    assert events[-1]["type"] == "done", events
    assert events[-1]["message"] == "".join(tokens_of(events))
    assert api.site.exchanges()[-1]["answer"] == events[-1]["message"]
    return tokens_of(events)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_S11_a_block_is_not_part_of_the_answer(api, streams, block):
    text = script(name("block"), tokens=[*block, "Hel", "lo", "."])
    assert api.answered(text, streams) == "Hello."
    assert api.site.exchanges()[-1]["answer"] == "Hello."


def test_S11_the_model_is_not_shown_it_again(api):
    own, mark = api.conversation(), name("again")
    events = api.stream(script(mark, tokens=[*BLOCKS["think"], "Hello"]), own).rest()
    own = own or {"conversationId": events[-1]["conversationId"]}
    api.answered(script(name("next"), tokens=["a"]), True, own)
    messages = api.site.model.requests(mark)[-1]["body"]["messages"]
    assert [message["content"] for message in messages if message["role"] == "assistant"] == ["Hello"]


def test_S4_what_is_behind_a_block_is_a_stream(api):
    """Each token comes while the next one is withheld."""
    block, gates = BLOCKS["think"], [name("gate"), name("gate")]
    stream = api.stream(script(name("gated"), tokens=[*block, "Hel", "lo", "."],
                               gates={len(block) + 2: gates[0], len(block) + 3: gates[1]}))
    assert next(stream)["type"] == "start"
    assert next(stream)["token"] == "Hel"
    api.site.model.open_gate(gates[0])
    assert next(stream)["token"] == "lo"
    api.site.model.open_gate(gates[1])
    assert [event.get("token") for event in stream.rest()] == [".", None]


def test_S4_bytes_of_a_possible_mark_come_with_the_delta_that_decides(api):
    assert streamed(api, ["<", "thi", "s> <", "b>"]) == ["<this> <", "b>"]
    assert streamed(api, ["<thi"]) == ["<thi"]
    assert streamed(api, ["A", " <", "thi", "nk", ">", "B"]) == ["A", " <", "thi", "nk", ">", "B"]


@pytest.mark.parametrize("text", [
    "Models write <think> before they reason.", "First <think>, last </think>: so it is.", "`<think>` opens it, `</think>` closes it.", "<answer>42</answer>",
    "```xml\n<think>x</think>\n```", "[link](http://x)", "a < b", "Phi ends with <|end|>", "<|channel|>news<|message|>",
])
def test_S11_a_mark_elsewhere_is_text(api, streams, text):
    assert api.answered(script(name("literal"), tokens=[text[:5], text[5:9], text[9:]]), streams) == text


@pytest.mark.parametrize("tokens", [["<think>", "so"], ["<think>so</think>", "\n\n"], BLOCKS["harmony"]],
                         ids=["cut", "nothing behind", "harmony"])
def test_S10_S11_only_reasoning_is_no_answer(api, streams, tokens):
    api.site.grant(5)
    api.fails(script(name("only"), tokens=tokens, finish="length"), streams)
    exchange = api.site.exchanges()[-1]
    assert (exchange["state"], exchange["answer"] or "", exchange["finish_reason"]) == ("failed", "", "length")
    assert exchange["error"] == "the model reasoned, and answered without any text"
    (used,) = api.site.sql("select tokens_out from banter_data.exchange where workspace = %s", api.site.tenant.workspace)
    assert used == (len(tokens),)
    assert api.site.credits() == 5


def test_S11_in_one_piece_a_closing_mark_takes_away_what_precedes_it(own):
    assert own.answered(script(name("lone"), tokens=LONE), False) == "Hello"
    assert own.site.exchanges()[-1]["answer"] == "Hello"
    assert own.answered(script(name("quoted"), tokens=["It is `</", "think>`."]), False) == "It is `</think>`."


def test_S11_a_plain_answer_to_a_streaming_request_has_not_been_sent(own):
    """All of it is here before any of it goes on."""
    plain = {"choices": [{"index": 0, "message": {"content": "".join(LONE)}, "finish_reason": "stop"}]}
    assert own.answered(script(name("plain"), raw=[json.dumps(plain)]), True) == "Hello"


def test_S11_a_stream_learns_from_three_conversations(own):
    """In whichever form, by whichever worker; one that ends without the mark is sent whole and ends it."""
    assert streamed(own, LONE) == LONE
    assert own.answered(script(name("lone"), tokens=LONE), False) == "Hello"
    assert streamed(own, LONE) == LONE
    for _ in range(10):
        assert streamed(own, LONE) == ["Hel", "lo"]
    assert own.answered(script(name("lone"), tokens=LONE), False) == "Hello"
    assert len(own.said()) == 1
    assert streamed(own, ["We", " are", " here"]) == ["We are here"]
    assert streamed(own, ["We", " are", " here"]) == ["We", " are", " here"]
    assert len(own.said()) == 2
    assert not [line for line in own.said() if "so" in line.split()]


def test_S11_a_visitor_who_asks_for_the_mark_teaches_nothing(own):
    visitor = own.conversation()
    for _ in range(5):
        assert streamed(own, LONE, own=visitor) == LONE
    assert streamed(own, LONE) == LONE
    assert streamed(own, ["We", " are"]) == ["We", " are"]
    for _ in range(2):
        assert streamed(own, LONE) == LONE
    assert streamed(own, ["We", " are"]) == ["We", " are"]


def test_S11_each_model_is_learned_by_itself(own, site):
    other = apis.Headless(site.for_new_tenant(model=name("model")))
    for _ in range(3):
        assert streamed(own, LONE) == LONE
    assert streamed(own, LONE) == ["Hel", "lo"]
    assert streamed(other, LONE) == LONE


def test_S11_a_withheld_answer_that_is_cut_by_its_limit_is_sent_whole_too(own):
    """What was learned may be wrong, and with a low max_tokens all answers end so."""
    for _ in range(3):
        streamed(own, LONE)
    assert own.answered(script(name("cut"), tokens=["so", " and"], finish="length"), True) == "so and"
    assert streamed(own, LONE) == LONE


# A chatbot's setting


def setting(api, word):
    site = api.site
    code, _, err = ctl("chatbot", "set", site.tenant.chatbot, f"reasoning={word}", url=site.postgres.url("owner"))
    assert (code, err) == (0, "")


def test_S11_a_chatbot_may_keep_reasoning(api, streams):
    setting(api, "keep")
    text = "<think>so</think>\n\nHello"
    assert api.answered(script(name("keep"), tokens=["<thi", "nk>so</think>", "\n\nHello"]), streams) == text
    assert api.site.exchanges()[-1]["answer"] == text
    setting(api, "remove")
    assert api.answered(script(name("remove"), tokens=[text]), streams) == "Hello"


def test_S11_a_chatbot_may_say_that_its_answers_begin_in_reasoning(api):
    setting(api, "begins")
    assert streamed(api, LONE) == ["Hel", "lo"]
    assert api.answered(script(name("lone"), tokens=LONE), False) == "Hello"
    assert streamed(api, [*BLOCKS["think"], "Hel", "lo"]) == ["Hel", "lo"]
    # However often one has none: it is the chatbot's word.
    for _ in range(2):
        assert streamed(api, ["We", " are", " here"]) == ["We are here"]
    assert streamed(api, LONE) == ["Hel", "lo"]


def test_S4_what_is_behind_withheld_reasoning_is_a_stream(api):
    setting(api, "begins")
    gate = name("gate")
    stream = api.stream(script(name("gated"), tokens=LONE, gates={len(LONE): gate}))
    assert next(stream)["type"] == "start"
    assert next(stream)["token"] == "Hel"
    api.site.model.open_gate(gate)
    assert [event.get("token") for event in stream.rest()] == ["lo", None]


def test_S10_S11_withheld_text_beyond_an_answers_length(start):
    """It is no answer; as reasoning it may be of any length."""
    site = start(workers=1, answer_bytes=1024)
    api = apis.Headless(site)
    setting(api, "begins")
    assert streamed(api, ["so " * 1000, "</think>", "Hello"]) == ["Hello"]
    api.fails(script(name("long"), tokens=["so " * 1000]), True)
    exchange = site.exchanges()[-1]
    assert (exchange["answer"] or "", exchange["error"]) == ("", "the answer is longer than BANTER_ANSWER_BYTES")
