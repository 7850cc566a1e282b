using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>All appends of this silo: a few lanes; a partition belongs to one of them by its id.</summary>
internal sealed class SegmentWriter
{
    private readonly WriterLane[] _lanes;

    public SegmentWriter(NpgsqlDataSource source, SlabDirectory slabs, StorageOptions options, TimeProvider time, StorageDiagnostics diagnostics)
    {
        _lanes = new WriterLane[options.Lanes];
        for (var i = 0; i < _lanes.Length; i++)
            _lanes[i] = new WriterLane(source, slabs, options, time, diagnostics);
    }

    public long QueuedBytes => _lanes.Sum(lane => lane.QueuedBytes);

    /// <summary>Over when every lane takes appends.</summary>
    public Task Connected => Task.WhenAll(_lanes.Select(lane => lane.Connected));

    public void Start()
    {
        foreach (var lane in _lanes)
            lane.Start();
    }

    public Task StopAsync(CancellationToken cancellation) => Task.WhenAll(_lanes.Select(lane => lane.StopAsync(cancellation)));

    public Task<AppendOutcome> Append(OwnedLog owner, in StagedBatch batch) => _lanes[(uint)owner.Id % (uint)_lanes.Length].Append(owner, batch);
}
