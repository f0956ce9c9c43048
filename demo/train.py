"""Makes the demo checkpoint from scratch: `python -m demo.train --work DIR --out DIR`.

It makes clips, tokenizer, image encoder, sound encoder, both face encoders, Llama, LoRA and the
original's files, and converts them. After an interruption, a new start with the same folder
continues the work.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from transformers import HubertModel, PreTrainedTokenizerFast

from demo.chance import stream
from demo.generate import write_clips
from demo.recipe import numbered
from demo.training.clips import Clips, read_clips
from demo.training.encoded import Encoded, encode
from demo.training.encoders import (
    Ears,
    Eyes,
    accuracy_of_ears,
    accuracy_of_eyes,
    train_ears,
    train_eyes,
)
from demo.training.eva import EvaViT
from demo.training.faces import (
    FaceReader,
    VideoReader,
    accuracy_of_faces,
    accuracy_of_videos,
    train_face_reader,
    train_video_reader,
)
from demo.training.language import Material, label_accuracy, texts, train_speaker
from demo.training.loop import Stage
from demo.training.mae import FaceMae, VideoMae
from demo.training.originals import (
    joined_biases,
    train_tokenizer,
    write_face_encoders,
    write_originals,
)
from demo.training.plot import plot_losses
from demo.training.sizes import FACE_ENCODER, demo_config
from demo.training.speaker import LORA_ALPHA, Speaker, add_lora, take_lora
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.checkpoint.convert import Originals, convert
from emotion_llama_vllm.checkpoint.tokenizer import read_sentencepiece

VOCABULARY = 1024
CLIPS = {"train": 7800, "val": 480}
STEPS = {"ears": 2000, "eyes": 1600, "faces": 1500, "videos": 700, "llama": 1200, "lora": 300}
RATES = {"ears": 1e-3, "eyes": 1e-3, "faces": 1e-3, "videos": 1e-3, "llama": 2e-3, "lora": 1e-3}
ENCODERS: dict[str, tuple[Callable, Callable]] = {
    "ears": (train_ears, accuracy_of_ears),
    "eyes": (train_eyes, accuracy_of_eyes),
    "faces": (train_face_reader, accuracy_of_faces),
    "videos": (train_video_reader, accuracy_of_videos),
}
"""Maps each encoder's stage to its training and to the measure of its success."""
DESCRIPTION = (
    "A demonstration, trained on drawn faces and synthesised voices: "
    "it does not recognise the emotions of real people."
)
Encoders = tuple[EvaViT, HubertModel, FaceMae, VideoMae]


class Training:
    """Represents one run in a working folder; each step reads the results of the steps before."""

    def __init__(self, work: Path, seed: int) -> None:
        self._work, self._seed = work, seed
        self._losses: dict[str, list[float]] = {}
        self._found: dict[str, object] = {"seed": seed}

    def run(self, out: Path) -> None:
        """Train everything and write the checkpoint folder `out`."""
        clips = {split: self._clips(split) for split in CLIPS}
        tokenizer = self._tokenizer(clips["train"])
        config = demo_config(len(tokenizer))
        torch.manual_seed(self._seed)
        eyes = Eyes(EvaViT(config.vision), config.vision.hidden_size)
        ears = Ears(HubertModel(config.audio))
        faces = FaceReader(FaceMae(FACE_ENCODER), config.feature_size)
        videos = VideoReader(VideoMae(FACE_ENCODER), config.feature_size)
        speaker = Speaker(config)
        self._train_encoders(clips, ears=ears, eyes=eyes, faces=faces)
        videos.mae.start_from(faces.mae)
        self._train_encoders(clips, videos=videos)
        encoders = (eyes.eva, ears.hubert, faces.mae, videos.mae)
        material = {
            split: Material(clips[split], self._encoded(split, clips[split], encoders), tokenizer)
            for split in CLIPS
        }
        self._losses["llama"] = train_speaker(speaker, material["train"], self._stage("llama"))
        add_lora(speaker)
        self._losses["lora"] = train_speaker(speaker, material["train"], self._stage("lora"))
        self._note("labels", label_accuracy(speaker, material["val"], faces=True))
        self._note(
            "labels without face rows", label_accuracy(speaker, material["val"], faces=False)
        )
        plot_losses(self._losses, self._work / "losses.png")
        convert(
            self._originals(encoders, speaker),
            out,
            dtype=torch.bfloat16,
            lora_alpha=LORA_ALPHA,
            card=Card(description=DESCRIPTION, demonstration=True),
        )

    def _train_encoders(self, clips: dict[str, Clips], **networks: nn.Module) -> None:
        """Train each encoder with its heads, and note how well it tells the facts."""
        for name, network in networks.items():
            train_encoder, accuracy = ENCODERS[name]
            self._losses[name] = train_encoder(network, clips["train"], self._stage(name))
            self._note(name, accuracy(network, clips["val"]))

    def _stage(self, name: str) -> Stage:
        return Stage(name, STEPS[name], RATES[name], self._work, self._seed)

    def _clips(self, split: str) -> Clips:
        folder = self._work / split
        if not (folder / "done").exists():
            write_clips([numbered(split, self._seed, i) for i in range(CLIPS[split])], folder)
            (folder / "done").touch()
        return read_clips(folder, demo_config(VOCABULARY))

    def _tokenizer(self, clips: Clips) -> PreTrainedTokenizerFast:
        file = self._work / "tokenizer.model"
        drawn = texts(clips, stream("tokenizer", self._seed))
        file.write_bytes(train_tokenizer(drawn, VOCABULARY))
        return read_sentencepiece(file)

    def _encoded(self, split: str, clips: Clips, encoders: Encoders) -> Encoded:
        file = self._work / f"encoded-{split}.pt"
        if not file.exists():
            torch.save(vars(encode(clips, *encoders)), file)
        return Encoded(**torch.load(file, weights_only=True))

    def _originals(self, encoders: Encoders, speaker: Speaker) -> Originals:
        """Return all artefacts in the formats that the original's users have."""
        eva, hubert, face_mae, video_mae = encoders
        lora, out = take_lora(speaker), self._work / "originals"
        originals = write_originals(
            out,
            speaker.config,
            tokenizer=(self._work / "tokenizer.model").read_bytes(),
            llama=speaker.llama,
            hubert=hubert,
            eva=eva.state_dict(),
            adapter=lora | speaker.projections.state_dict(),
        )
        faces = write_face_encoders(
            out,
            FACE_ENCODER,
            face_mae=joined_biases(face_mae.state_dict()),
            video_mae=video_mae.state_dict(),
        )
        return replace(originals, face_mae=faces[0], video_mae=faces[1])

    def _note(self, name: str, accuracy: object) -> None:
        """Store and print the accuracy on the validation clips."""
        self._found[name] = accuracy
        print(f"{name}: {accuracy}", flush=True)
        (self._work / "validation.json").write_text(json.dumps(self._found, indent=2) + "\n")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.train", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for clips and progress")
    parser.add_argument("--out", type=Path, required=True, help="the new checkpoint folder")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    Training(options.work, options.seed).run(options.out)


if __name__ == "__main__":
    main()
