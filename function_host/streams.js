// SPDX-License-Identifier: Apache-2.0
// `require('stream')` in its common part. A stream here is simple: it holds what was not read yet, however much it is. Joined behind
// events.js.

function makeStream() {
  const take = (self, options, names) => {
    for (const name of names) if (options && typeof options[name] === 'function') self[`_${name}`] = options[name];
  };
  const Stream = constructorOf(class Stream extends EventEmitter {
    pipe(target, options) {
      this.on('data', (chunk) => target.write(chunk));
      if (!options || options.end !== false) this.on('end', () => target.end());
      target.emit('pipe', this);
      return target;
    }
    destroy(fault) {
      if (this.destroyed) return this;
      this.destroyed = true;
      soon(() => {
        if (fault) this.emit('error', fault);
        this.emit('close');
      });
      return this;
    }
  }, nothing);

  const beginReading = function beginReading(options) {
    Object.assign(this, { readable: true, chunks_: [], isOver_: false, isFlowing_: false });
    this.readsObjects_ = Boolean(options && (options.objectMode || options.readableObjectMode));
    if (options && options.encoding) this.setEncoding(options.encoding);
    take(this, options, ['read', 'destroy']);
  };
  class ReadableMethods extends Stream {
    push(chunk, encoding) {
      if (chunk === null) {
        const rest = this.decoder_ ? this.decoder_.end() : '';
        if (rest !== '') this.chunks_.push(rest);
        this.isOver_ = true;
      } else {
        const bytes = this.readsObjects_ ? chunk : bytesOfChunk(chunk, encoding);
        this.chunks_.push(this.decoder_ ? this.decoder_.write(bytes) : bytes);
      }
      soon(() => this.flow_());
      return true;
    }
    flow_() {
      while (this.isFlowing_ && !this.destroyed && this.chunks_.length > 0) this.emit('data', this.chunks_.shift());
      if (!this.isFlowing_ || this.destroyed || !this.readable) return;
      if (!this.isOver_) {
        if (this._read) this._read(16384);
        return;
      }
      this.readable = false;
      this.emit('end');
      this.emit('close');
    }
    on(name, listener) {
      super.on(name, listener);
      return name === 'data' ? this.resume() : this;
    }
    resume() {
      this.isFlowing_ = true;
      soon(() => this.flow_());
      return this;
    }
    pause() {
      this.isFlowing_ = false;
      return this;
    }
    setEncoding(encoding) {
      this.decoder_ = new StringDecoder(encoding);
      return this;
    }
    async* [Symbol.asyncIterator]() {
      const got = [];
      let wake = nothing;
      let end; // undefined until it came, then what it was
      const add = (chunk) => {
        got.push(chunk);
        wake();
      };
      this.on('data', add).on('end', () => { end = []; wake(); }).on('error', (fault) => { end = [fault]; wake(); });
      for (;;) {
        while (got.length > 0) yield got.shift();
        if (end !== undefined && end.length > 0) throw end[0];
        if (end !== undefined) return;
        await new PromiseOf((resolve) => { wake = resolve; });
      }
    }
  }
  defineProperty(ReadableMethods, 'name', { value: 'Readable' });
  const Readable = constructorOf(ReadableMethods, beginReading);
  Readable.from = (items) => {
    const stream = new Readable({ objectMode: true, read: nothing });
    const fill = async () => { for await (const each of typeof items === 'string' ? [items] : items) stream.push(each); };
    fill().then(() => stream.push(null), (fault) => stream.destroy(fault));
    return stream;
  };

  const beginWriting = function beginWriting(options) {
    Object.assign(this, { writable: true, waiting_: [], isBusy_: false });
    this.writesObjects_ = Boolean(options && (options.objectMode || options.writableObjectMode || options.decodeStrings === false));
    take(this, options, ['write', 'final', 'destroy']);
  };
  const writing = {
    write(chunk, encoding, done) {
      const callback = typeof encoding === 'function' ? encoding : done;
      if (!this.writable) throw new ErrorOf('write after end');
      const given = typeof encoding === 'string' ? encoding : 'utf8';
      this.waiting_.push([this.writesObjects_ ? chunk : bytesOfChunk(chunk, given), given, callback]);
      this.advance_();
      return true;
    },
    end(chunk, encoding, done) {
      const callback = [chunk, encoding, done].find((each) => typeof each === 'function');
      if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') this.write(chunk, encoding);
      if (callback) this.once('finish', callback);
      this.writable = false;
      this.advance_();
      return this;
    },
    advance_() {
      if (this.isBusy_ || this.isFinished_) return;
      const next = this.waiting_.shift();
      if (next === undefined && this.writable) return;
      this.isBusy_ = true;
      const after = (then) => (fault) => soon(() => {
        this.isBusy_ = false;
        if (fault) return this.destroy(fault);
        then();
        return this.advance_();
      });
      if (next !== undefined) return this._write(next[0], next[1], after(next[2] || nothing));
      const finish = after(() => {
        this.isFinished_ = true;
        this.emit('finish');
      });
      return this._final ? this._final(finish) : finish();
    },
    cork: nothing,
    uncork: nothing,
  };
  const withWriting = (Methods) => {
    for (const name of keys(writing)) defineProperty(Methods.prototype, name, { value: writing[name], writable: true, configurable: true });
    return Methods;
  };
  const Writable = constructorOf(withWriting(class Writable extends Stream {}), beginWriting);
  const beginBoth = function beginBoth(options) {
    apply(beginReading, this, [options]);
    apply(beginWriting, this, [options]);
  };
  const Duplex = constructorOf(withWriting(class Duplex extends Readable {}), beginBoth);
  const Transform = constructorOf(class Transform extends Duplex {
    _write(chunk, encoding, done) {
      this._transform(chunk, encoding, (fault, made) => {
        if (made !== undefined && made !== null) this.push(made);
        done(fault);
      });
    }
    _final(done) {
      const end = (fault, made) => {
        if (made !== undefined && made !== null) this.push(made);
        if (!fault) this.push(null);
        done(fault);
      };
      if (this._flush) this._flush(end);
      else end();
    }
  }, function beginChanging(options) {
    apply(beginBoth, this, [options]);
    take(this, options, ['transform', 'flush']);
  });
  const PassThrough = constructorOf(class PassThrough extends Transform {
    _transform(chunk, encoding, done) { done(null, chunk); }
  }, beginBoth);

  const finished = (stream, done) => {
    let isTold = false;
    const tell = (fault) => {
      if (!isTold) done(fault);
      isTold = true;
    };
    stream.on('error', tell).on(stream.advance_ ? 'finish' : 'end', () => tell());
  };
  const pipeline = (...all) => {
    const done = typeof all[all.length - 1] === 'function' ? all.pop() : nothing;
    for (const each of all.slice(0, -1)) each.on('error', done);
    finished(all[all.length - 1], done);
    return all.reduce((from, to) => from.pipe(to));
  };
  return Object.assign(Stream, { Stream, Readable, Writable, Duplex, Transform, PassThrough, finished, pipeline });
}
