"""Judges what the speech_quality program lets one hear: called by tests/bench/speech-quality, which see."""

import os
import subprocess
import sys
import time
import wave
from multiprocessing import Pool

import numpy as np
from pesq import pesq

# How much better than its yardstick ours is to be, by codec and percent of loss.
GOALS = {
    "PCMU": {3: 0.10, 5: 0.25, 10: 0.30},
    "GSM": {3: 0.05, 5: 0.05, 10: 0.05},
    "G729": {3: 0.0, 5: 0.0, 10: 0.0},
    "opus": {5: 0.20},  # of random loss: of a burst only the last packet is described again
}
YARDSTICKS = {
    "fade": "the last frame again, fading",
    "muting": "GSM 06.11's muting",
    "own": "the codec's own concealment",
}


def clip(path):
    """Samples and rate."""
    for ending, rate in ((".16k", 16000), (".8k", 8000)):
        if path.endswith(ending):
            return np.fromfile(path, dtype="<i2"), rate
    with wave.open(path) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"), file.getframerate()


def judge(item):
    key, reference, rate, heard = item
    length = min(len(reference), len(heard))
    mode = "nb" if rate == 8000 else "wb"
    return key, pesq(rate, reference[:length], heard[:length], mode)


def trials(program, seeds, clips, codecs):
    """What the program writes, piece by piece."""
    references = {os.path.basename(path): clip(path) for path in clips}
    process = subprocess.Popen([program, seeds, *clips, "--", *codecs], stdout=subprocess.PIPE)
    while line := process.stdout.readline():
        codec, method, kind, percent, seed, name, samples = line.decode().split()
        heard = np.frombuffer(process.stdout.read(2 * int(samples)), dtype="<i2")
        yield ((codec, kind, int(percent), method), (name, seed)), *references[name], heard
    if process.wait():
        sys.exit("the program failed")


def interval(values):
    """Mean and half of its 95 % interval."""
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    return values.mean(), 1.96 * spread / len(values) ** 0.5


def table(scores):
    """Prints it; how many goals were missed."""
    missed = 0
    for codec in dict.fromkeys(key[0] for key in scores):
        mode = "P.862.2, wideband" if codec in ("G722", "opus") else "P.862, narrowband"
        print(f"{codec}  ({mode})")
        for kind, percent in sorted({key[1:3] for key in scores if key[0] == codec}, key=lambda k: (k[0] != "none", k)):
            ours = scores[codec, kind, percent, "ours"]
            text = f"  {kind:<7} {percent:>2} %   ours {interval(np.array(list(ours.values())))[0]:.3f}"
            text += f" ± {interval(np.array(list(ours.values())))[1]:.3f}"
            for method, what in YARDSTICKS.items():
                theirs = scores.get((codec, kind, percent, method))
                if not theirs:
                    continue
                mean, half = interval(np.array(list(theirs.values())))
                better, sure = interval(np.array([ours[place] - theirs[place] for place in ours]))
                text += f"   {what} {mean:.3f} ± {half:.3f}   better by {better:+.3f} ± {sure:.3f}"
                goal = GOALS.get(codec, {}).get(percent)
                if codec == "opus" and kind == "bursts":
                    goal = None
                if goal is not None:
                    met = better >= goal - 0.005
                    missed += not met
                    text += f"   goal {goal:+.2f} {'met' if met else 'MISSED'}"
            print(text)
    return missed


def plot(scores, path):
    """Score against loss, a panel a codec."""
    codecs = list(dict.fromkeys(key[0] for key in scores))
    width, height, gap = 260, 200, 50
    colours = {"ours": "#0b6", "fade": "#c33", "muting": "#c33", "own": "#36c"}
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(codecs) * (width + gap) + gap}" height="{height + 124}" '
        'font-family="sans-serif" font-size="12">'
    ]
    for n, codec in enumerate(codecs):
        left, top = gap + n * (width + gap), 40

        def place(percent, score):
            return f"{left + percent * width / 10:.1f},{top + height - (score - 1) * height / 3.6:.1f}"

        out.append(f'<text x="{left}" y="24" font-size="14">{codec}</text>')
        for score in (1, 2, 3, 4):
            a, b = place(0, score), place(10, score)
            out.append(f'<polyline points="{a} {b}" stroke="#ddd"/>')
            x, y = a.split(",")
            out.append(f'<text x="{float(x) - 16}" y="{float(y) + 4}">{score}</text>')
        for percent in (0, 3, 5, 10):
            x, y = place(percent, 1).split(",")
            out.append(f'<text x="{float(x) - 8}" y="{float(y) + 18}">{percent} %</text>')
        methods = dict.fromkeys(key[3] for key in scores if key[0] == codec)
        for m, method in enumerate(methods):
            for kind, dash in (("random", ""), ("bursts", ' stroke-dasharray="5 4"')):
                points = [(0, scores[codec, "none", 0, method])]
                points += sorted((k[2], v) for k, v in scores.items() if k[0] == codec and k[1] == kind and k[3] == method)
                line = " ".join(place(p, float(np.mean(list(v.values())))) for p, v in points)
                out.append(f'<polyline points="{line}" fill="none" stroke="{colours[method]}" stroke-width="2"{dash}/>')
            y = top + height + 36 + 16 * m
            name = "ours" if method == "ours" else YARDSTICKS[method]
            out.append(f'<text x="{left}" y="{y}" fill="{colours[method]}">{name}</text>')
    out.append(f'<text x="{gap}" y="{height + 116}" fill="#666">PESQ against loss; dashed: in bursts of three</text></svg>')
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out))


def main():
    program, seeds, picture, *rest = sys.argv[1:]
    middle = rest.index("--")
    clips, codecs = rest[:middle], rest[middle + 1 :]
    began, scores = time.time(), {}
    with Pool(os.cpu_count()) as pool:
        for (key, place), score in pool.imap_unordered(judge, trials(program, seeds, clips, codecs), 8):
            scores.setdefault(key, {})[place] = score
    for codec in codecs:
        if not any(key[0] == codec for key in scores):
            print(f"skipped: {codec}, not in this build or without a clip of its rate")
    missed = table(dict(sorted(scores.items())))
    print(f"{sum(map(len, scores.values()))} judged in {time.time() - began:.0f} s, goals missed: {missed}")
    if picture and scores:
        plot(scores, picture)


main()
