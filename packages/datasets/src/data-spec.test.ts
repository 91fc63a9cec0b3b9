import { describe, expect, it } from 'vitest';
import { parseDataSpec } from './data-spec.js';

describe('parseDataSpec', () => {
  it.each([
    ['fashion-mnist', 'fashion-mnist'],
    ['fashion-mnist:test', { use: 'fashion-mnist', with: { split: 'test' } }],
    ['fashion-mnist:train:256', { use: 'fashion-mnist', with: { split: 'train', take: 256 } }],
    ['mnist:256', { use: 'mnist', with: { take: 256 } }],
    ['synthetic:train', { use: 'synthetic', with: { split: 'train' } }],
    ['idx:a/i.gz,a/l.gz', { use: 'idx', with: { images: 'a/i.gz', labels: 'a/l.gz' } }],
    ['idx:i,l:9', { use: 'idx', with: { images: 'i', labels: 'l', take: 9 } }],
    ['idx:i', { use: 'idx', with: { images: 'i' } }],
    ['cifar10:some/folder:100', { use: 'cifar10', with: { path: 'some/folder', take: 100 } }],
    ['images:/data/x.tar.gz', { use: 'images', with: { path: '/data/x.tar.gz' } }],
    ['images:a:b:5', { use: 'images', with: { path: 'a:b', take: 5 } }],
    ['npz:f.npz', { use: 'npz', with: { path: 'f.npz' } }],
    ['npy:f.npy:7', { use: 'npy', with: { path: 'f.npy', take: 7 } }],
    ['random:64', { use: 'random', with: { take: 64 } }],
    [
      'random:8,sequence=576,gain=0.5',
      { use: 'random', with: { take: 8, dims: ['sequence=576'], values: ['sequence=576', 'gain=0.5'] } },
    ],
    [' random ', 'random'],
  ])('reads %s', (text, reference) => {
    expect(parseDataSpec(text)).toEqual(reference);
  });

  it.each([
    ['fashon-mnist', /Did you mean "fashion-mnist"\?/],
    ['fashion-mnist:tset:5', /expected fashion-mnist.*found "tset"\. Did you mean "test"\?/],
    ['photos/train.tar.gz', /write their kind first: images:/],
    ['images:', /expected images:DIR\[:N\], found nothing after the colon/],
    ['idx:a,b,c', /expected idx:IMAGES,LABELS/],
    ['random:0', /a number of samples of 1 or more, found 0/],
    ['random:many', /expected random\[:N\]\[,NAME=NUMBER...\], found "many"/],
    ['', /expected one of/],
    ['__proto__:1', /expected one of/],
  ])('refuses %s with a hint', (text, message) => {
    expect(() => parseDataSpec(text)).toThrow(
      expect.objectContaining({ code: 'DATA_SPEC', message: expect.stringMatching(message) }),
    );
  });
});
