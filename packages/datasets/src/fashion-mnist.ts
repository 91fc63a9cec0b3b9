import { publishedIdx } from './published-idx.js';

/** Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747): 28x28 grey images of clothes. */
export const fashionMnist = publishedIdx({
  id: 'fashion-mnist',
  about: '28x28 grey images of clothes in ten classes: 60,000 to train and 10,000 to test, downloaded once (30 MB).',
  address: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com',
  classes: ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  sha256: {
    'train-images': 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    'train-labels': 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    't10k-images': '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    't10k-labels': '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  },
});
