"""Print the chart's manifests with its default values, for those who use no Helm.

.venv/bin/python deploy/kubernetes/render.py > deploy/kubernetes/emotion-llama.yaml
"""

from pathlib import Path

import helm_python

CHART = Path(__file__).parents[1] / "helm" / "emotion-llama"
NAME = "emotion-llama"
HEAD = """\
# Three replicas on one NVIDIA GPU each: what the chart in ../helm makes of its default values,
# written by render.py. Put your registry in front of the image's name. It needs a volume that holds
# the folder emotion-llama-7b, and a Secret whose keys are lines name:key, one of them prometheus's:
#   kubectl create namespace emotion-llama
#   kubectl -n emotion-llama apply -f volume.yaml  # a PersistentVolumeClaim emotion-llama-weights
#   kubectl -n emotion-llama create secret generic emotion-llama-keys --from-file=keys=keys
#   kubectl -n emotion-llama apply -f emotion-llama.yaml
"""


def main() -> None:
    """Print the manifests, each behind the name of its template."""
    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render(name=NAME, namespace=NAME)
    parts = [text.strip() for path, text in sorted(rendered.items()) if path.endswith(".yaml")]
    print(HEAD + "".join(f"---\n{part}\n" for part in parts if part), end="")


if __name__ == "__main__":
    main()
