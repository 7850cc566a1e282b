using System.Collections.Frozen;
using System.Runtime.CompilerServices;

namespace Granary.Abstractions.Topics;

/// <summary>
/// This process's copy of the catalog, kept fresh by one long poll on <see cref="ITopicCatalogGrain"/>. Look-ups are local and never
/// wait. Safe for many threads.
/// </summary>
public sealed class TopicDirectory : IAsyncDisposable
{
    private static readonly TimeSpan s_pollWait = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(250);

    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _applying = new(1, 1);
    private readonly ConditionalWeakTable<TopicDescription, TopicSettings> _settings = [];
    private readonly Lock _starting = new();
    private volatile Snapshot _snapshot = Snapshot.Empty;
    private volatile int _defaultPartitionCount = 1;
    private Task? _following;

    public TopicDirectory(IGrainFactory grains, TimeProvider? time = null)
    {
        _grains = grains;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>The catalog's version that this copy shows.</summary>
    public long Version => _snapshot.Version;

    /// <summary>num.partitions, as the catalog last said it: partitions of a topic that is created without a number.</summary>
    public int DefaultPartitionCount => _defaultPartitionCount;

    /// <summary>All topics, by name.</summary>
    public IReadOnlyDictionary<string, TopicDescription> ByName => _snapshot.ByName;

    /// <summary>The topic of that name, as far as this process has heard.</summary>
    public TopicDescription? Find(string name) => _snapshot.ByName.GetValueOrDefault(name);

    /// <summary>The topic with that id, as far as this process has heard.</summary>
    public TopicDescription? Find(Guid topicId) => _snapshot.ById.GetValueOrDefault(topicId);

    /// <summary>
    /// The topic's typed configs, parsed once per description. They belong to the description that was passed, not to its topic: whoever still
    /// holds an old one cannot put old settings before others.
    /// </summary>
    public TopicSettings SettingsOf(TopicDescription topic) => _settings.GetValue(topic, static described => TopicConfigs.Parse(described.Overrides));

    /// <summary>The topic with that id; asks the catalog once where this process has not heard of it. Null: it does not exist.</summary>
    public async ValueTask<TopicDescription?> FindOrAskAsync(Guid topicId)
    {
        if (Find(topicId) is { } known)
            return known;
        await RefreshAsync();
        return Find(topicId);
    }

    /// <summary>The topic of that name; asks the catalog once where this process has not heard of it. Null: it does not exist.</summary>
    public async ValueTask<TopicDescription?> FindOrAskAsync(string name)
    {
        if (Find(name) is { } known)
            return known;
        await RefreshAsync();
        return Find(name);
    }

    /// <summary>Asks the catalog now for what has changed, and shows it when done.</summary>
    public Task RefreshAsync() => ApplyAsync(TimeSpan.Zero, CancellationToken.None);

    /// <summary>Starts to follow the catalog, once; returns when the first whole copy is here.</summary>
    public async Task StartAsync()
    {
        if (_following is not null)
            return;
        await RefreshAsync();
        lock (_starting)
            _following ??= Task.Run(FollowAsync);
    }

    /// <summary>Follows no longer; what is known stays known. To be called before Orleans stops: a long poll would hinder it.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        if (_following is { } following)
            await following;
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task FollowAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await ApplyAsync(s_pollWait, _stopping.Token).WaitAsync(_stopping.Token);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception)
            {
                // The catalog is between silos, or PostgreSQL is away: what is known stays known, and the next poll asks again.
                await Task.Delay(s_retryDelay, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ApplyAsync(TimeSpan maxWait, CancellationToken cancellation)
    {
        var changes = await _grains.GetGrain<ITopicCatalogGrain>(ITopicCatalogGrain.Key).WatchAsync(_snapshot.Version, maxWait, cancellation);
        _defaultPartitionCount = changes.DefaultPartitionCount;
        await _applying.WaitAsync();
        try
        {
            if (changes.Version <= _snapshot.Version)
                return;
            _snapshot = _snapshot.With(changes);
        }
        finally
        {
            _applying.Release();
        }
    }

    private sealed record Snapshot(
        long Version,
        FrozenDictionary<string, TopicDescription> ByName,
        FrozenDictionary<Guid, TopicDescription> ById)
    {
        public static Snapshot Empty { get; } = new(
            0,
            FrozenDictionary<string, TopicDescription>.Empty,
            FrozenDictionary<Guid, TopicDescription>.Empty);

        public Snapshot With(CatalogChanges changes)
        {
            var topics = changes.IsComplete ? [] : ById.ToDictionary();
            foreach (var topicId in changes.Deleted)
                topics.Remove(topicId);
            foreach (var topic in changes.Topics)
                topics[topic.TopicId] = topic;
            return new Snapshot(
                changes.Version,
                topics.Values.ToFrozenDictionary(topic => topic.Name),
                topics.ToFrozenDictionary());
        }
    }
}
