using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Granary.Abstractions.Cluster;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Granary.Gateway.Http.Live;

/// <summary>
/// The stream of this process: watches all silos while anybody reads, and a while longer, and gives every event to every reader. States: idle (nothing is
/// asked, nothing kept); watching. Ids rise over the process's life; an id of another process, or from before the feed was idle, gets a
/// snapshot. Safe for many threads.
/// </summary>
internal sealed class LiveFeed(LiveSources sources, IOptions<LiveOptions> options, TimeProvider time)
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_forgetInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_firstAnswers = TimeSpan.FromSeconds(2);

    private readonly LiveSources _sources = sources;
    private readonly LiveOptions _options = options.Value;
    private readonly TimeProvider _time = time;
    private readonly Lock _lock = new();
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly List<LiveSubscriber> _subscribers = [];
    private readonly Queue<LiveEvent> _kept = new();
    private Watch? _watch;
    private long _lastId;
    private long _leftAt;

    /// <summary>The id as readers see it.</summary>
    public string IdOf(in LiveEvent one) => string.Create(CultureInfo.InvariantCulture, $"{_run}-{one.Id}");

    /// <summary>Null: there are as many readers as are allowed.</summary>
    public async Task<LiveSubscriber?> SubscribeAsync(string? lastEventId, CancellationToken cancellation)
    {
        Task ready;
        lock (_lock)
        {
            if (_subscribers.Count >= _options.MaxSubscribers)
                return null;
            ready = Begin();
        }

        await ready.WaitAsync(cancellation);
        lock (_lock)
        {
            if (_subscribers.Count >= _options.MaxSubscribers)
                return null;
            _ = Begin();
            var subscriber = new LiveSubscriber(_options.SubscriberQueue, Restart, Leave);
            if (TryResume(lastEventId, out var missed))
                missed.ForEach(one => subscriber.Offer(one));
            else
                subscriber.Begin(Snapshot());
            _subscribers.Add(subscriber);
            return subscriber;
        }
    }

    /// <summary>Starts to watch where nobody does; what it returns ends when the silos have answered for the first time.</summary>
    private Task Begin()
    {
        if (_watch is null)
        {
            _leftAt = _time.GetTimestamp();
            _watch = new Watch(this);
            _ = Task.Run(_watch.RunAsync);
        }

        return _watch.Ready;
    }

    private void Restart(LiveSubscriber subscriber)
    {
        lock (_lock)
            subscriber.Begin(Snapshot());
    }

    private void Leave(LiveSubscriber subscriber)
    {
        lock (_lock)
        {
            _subscribers.Remove(subscriber);
            _leftAt = _time.GetTimestamp();
        }
    }

    private bool TryResume(string? lastEventId, [NotNullWhen(true)] out List<LiveEvent>? missed)
    {
        missed = null;
        var dash = lastEventId?.LastIndexOf('-') ?? -1;
        if (dash < 0 || lastEventId![..dash] != _run || !long.TryParse(lastEventId.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return false;
        var oldest = _kept.TryPeek(out var first) ? first.Id : _lastId + 1;
        if (id > _lastId || id < oldest - 1 || _lastId - id > _options.SubscriberQueue)
            return false;
        missed = [.. _kept.Where(one => one.Id > id)];
        return true;
    }

    private LiveEvent Snapshot() => new(_lastId, "snapshot", LiveJson.Write(_watch!.State.Snapshot(_time.GetUtcNow(), _watch.Rates.Topics)));

    /// <summary>Under the lock.</summary>
    private void Tell(string name, object message)
    {
        var one = new LiveEvent(++_lastId, name, LiveJson.Write(message));
        _kept.Enqueue(one);
        if (_kept.Count > _options.KeptEvents)
            _kept.Dequeue();
        foreach (var subscriber in _subscribers)
            subscriber.Offer(one);
    }

    /// <summary>One time of watching: from the first reader to a while after the last.</summary>
    private sealed class Watch
    {
        private readonly LiveFeed _feed;
        private readonly Dictionary<SiloAddress, SiloReader> _readers = [];
        private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly long _begunAt;
        private ClusterMap _map = ClusterMap.Empty;
        private long _forgotAt;

        public Watch(LiveFeed feed)
        {
            _feed = feed;
            _begunAt = feed._time.GetTimestamp();
            State = new LiveState(feed._options, feed._sources.NameOf, feed.Tell);
        }

        public LiveState State { get; }

        public TrafficRates Rates { get; } = new();

        public Task Ready => _ready.Task;

        public async Task RunAsync()
        {
            using var timer = new PeriodicTimer(s_tick, _feed._time);
            try
            {
                do
                {
                    lock (_feed._lock)
                    {
                        if (IsOver())
                            return;
                        Tick();
                    }
                }
                while (await timer.WaitForNextTickAsync(_feed._sources.Stopping));
            }
            catch (OperationCanceledException)
            {
                // The process stops.
            }
            finally
            {
                End();
            }
        }

        private bool IsOver() => _feed._subscribers.Count == 0 && _ready.Task.IsCompleted && _feed._time.GetElapsedTime(_feed._leftAt) > _feed._options.Linger;

        private void Tick()
        {
            var map = _feed._sources.Map;
            if (map.Fingerprint != _map.Fingerprint)
                Follow(map);
            if (_feed._time.GetElapsedTime(_forgotAt) >= s_forgetInterval)
            {
                _forgotAt = _feed._time.GetTimestamp();
                State.Forget(_feed._time.GetUtcNow());
            }

            if (!_ready.Task.IsCompleted && (_readers.Count > 0 && _readers.Values.All(reader => reader.HasAsked) || _feed._time.GetElapsedTime(_begunAt) > s_firstAnswers))
                _ready.TrySetResult();
            if (Rates.Tick(_feed._time.GetUtcNow(), topicId => _feed._sources.NameOf(topicId) ?? "") is { } rates)
                _feed.Tell("rates", rates);
        }

        private void Follow(ClusterMap map)
        {
            _map = map;
            State.SetMembers(map);
            foreach (var (silo, reader) in _readers.Where(reader => map.Find(reader.Key) is null).ToArray())
            {
                reader.Stop();
                _readers.Remove(silo);
                Rates.Forget(silo);
            }

            foreach (var member in map.Members)
            {
                if (_readers.TryGetValue(member.Silo, out var known))
                {
                    known.Member = member;
                    continue;
                }

                var reader = new SiloReader(member, _feed._sources, _feed._time, isHistoryFirst: !_ready.Task.IsCompleted);
                _readers[member.Silo] = reader;
                _ = Task.Run(() => reader.RunAsync(change =>
                {
                    lock (_feed._lock)
                        change(State, Rates);
                }));
            }
        }

        private void End()
        {
            lock (_feed._lock)
            {
                foreach (var reader in _readers.Values)
                    reader.Stop();
                _feed._kept.Clear();
                _feed._watch = null;
            }

            _ready.TrySetResult();
        }
    }
}
