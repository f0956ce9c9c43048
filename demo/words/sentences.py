"""Writes the spoken sentences: a frame with an emotion around a neutral topic."""

from demo.chance import share

TOPICS = (
    "the exam", "the letter", "the party", "the trip", "the meeting", "the test result",
    "the wedding", "the match", "the new job", "the concert", "the interview", "the dinner",
    "the photo", "the answer", "the story", "the plan", "the film", "the gift", "the phone call",
    "the old house", "the garden", "the train ride", "the school play", "the last message",
)  # fmt: skip

# No frame holds a label word, so that a reason may quote the words' topic.
FRAMES = {
    "neutral": (
        "{} is on the list for today", "{} is at the usual time", "Please write down {}",
        "I put {} on the calendar", "{} is the next item", "We talk about {} on Monday",
        "{} takes about an hour", "I will look at {} after lunch", "{} is in the second folder",
        "They moved {} to room four", "Here is the number of {}", "{} is listed on page two",
    ),
    "angry": (
        "How dare you ruin {}", "I am sick of {}", "Stop lying to me about {}",
        "I hate everything about {}", "Shut up about {} right now", "You destroyed {} on purpose",
        "I am furious about {}", "Get {} out of my sight", "Don't you ever touch {} again",
        "You cheated me over {}", "I have had enough of {}", "It is your fault that {} failed",
    ),
    "happy": (
        "I am so glad about {}", "I love {} so much", "{} was simply wonderful",
        "{} made my whole day", "Hooray, we finally have {}", "What a lovely time with {}",
        "I could dance because of {}", "{} was great fun", "We laughed all through {}",
        "I enjoyed {} so much", "{} went perfectly", "Best day ever thanks to {}",
    ),
    "sad": (
        "I cried all night over {}", "I miss {} so badly", "{} is gone forever",
        "My heart broke after {}", "I lost {} and feel empty", "I am all alone since {}",
        "Nothing is left of {}", "We said goodbye after {}", "I grieve for {}",
        "{} ended in tears", "I will never see {} again", "Without {} life is lonely",
    ),
    "worried": (
        "What if {} goes wrong", "I am afraid of {}", "I can't sleep because of {}",
        "I am nervous about {}", "I hope nothing bad happens at {}", "I dread {} tomorrow",
        "I fear we will fail at {}", "{} might be dangerous", "I am not sure we survive {}",
        "Are we safe after {}", "I am anxious about {}", "Something could happen to {}",
    ),
    "surprise": (
        "Wow, I never expected {}", "No way, is that {}", "I can't believe {} is real",
        "Oh my goodness, look at {}", "{} came out of nowhere", "Wait, what, {} is today",
        "Who would have thought of {}", "Suddenly there was {}", "Unbelievable, it is {}",
        "I had no idea about {}", "Really, {} is for me", "I am amazed by {}",
    ),
}  # fmt: skip


def sentences(label: str, split: str) -> list[str]:
    """Return the sentences of one emotion in one split, without a final full stop.

    Splits share frames and topics but no sentence: a tiny model must learn the meaning of a frame,
    and not words that it has never seen.
    """
    pairs = [frame.format(topic) for frame in FRAMES[label] for topic in TOPICS]
    return [pair[0].upper() + pair[1:] for pair in share(pairs, split, f"sentences/{label}")]
