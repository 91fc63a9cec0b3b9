import { publishedIdx } from './published-idx.js';

/** MNIST (LeCun, Bottou, Bengio and Haffner 1998): 28x28 grey images of handwritten digits. */
export const mnist = publishedIdx({
  id: 'mnist',
  about: '28x28 grey images of handwritten digits: 60,000 to train and 10,000 to test, downloaded once (11 MB).',
  address: 'https://ossci-datasets.s3.amazonaws.com/mnist',
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  sha256: {
    'train-images': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    'train-labels': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    't10k-images': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    't10k-labels': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
});
