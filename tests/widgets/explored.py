"""What the tests of the widgets share."""

import io

import numpy as np


def linear_model(weight, threshold):
    """Two classes, log-odds = weight * (sum of x - threshold), over three steps."""
    import keras

    inputs = keras.Input((3, 1))
    output = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, output)
    model.layers[-1].set_weights([np.full((3, 1), weight), np.array([-weight * threshold])])
    return model


def value_of(html):
    """Return what a line of HTML says."""
    return html.value.split(">", 1)[1].rsplit("</div>", 1)[0] if html.value else ""


def pixels(png):
    from matplotlib.image import imread

    return imread(io.BytesIO(png), format="png")
