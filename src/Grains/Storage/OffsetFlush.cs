using System.Text;
using System.Text.Json;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Writes that wait together, as the arrays of one statement. Of several writes of one position the last is kept. What clients write beside a
/// position is bytes here: PostgreSQL's text takes no zero character, and one client's must not fail the flush of all. Used again and again.
/// </summary>
internal sealed class OffsetFlush
{
    private readonly Dictionary<(int Group, Guid Topic, int Partition), KeptOffset?> _rows = [];
    private readonly Dictionary<int, long> _owners = [];

    private readonly Dictionary<int, ResetEntry> _resets = [];

    /// <summary>The statement that it is for.</summary>
    public string Statement => _resets.Count == 0 ? GroupStatements.Write : GroupStatements.WriteWithResets;

    /// <summary>Positions in it.</summary>
    public int Count => _rows.Count;

    /// <summary>Grows with each flush of the silo; all copies of one have the same.</summary>
    public long Number { get; private set; }

    /// <summary>
    /// False: a newer owner of the same group is already in it, and the write belongs to the next flush, which will see it fenced; or another reset of
    /// the group, as the history is trimmed once in a flush.
    /// </summary>
    public bool TryAdd(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null)
    {
        if (reset is not null && _resets.ContainsKey(group.Number))
            return false;
        if (!_owners.TryAdd(group.Number, group.OwnerEpoch) && _owners[group.Number] != group.OwnerEpoch)
            return false;
        foreach (var (partition, offset) in writes)
            _rows[(group.Number, partition.TopicId, partition.Index)] = offset;
        if (reset is not null)
            _resets[group.Number] = reset;
        return true;
    }

    /// <summary>Begins the next one.</summary>
    public void Clear()
    {
        Number++;
        _rows.Clear();
        _owners.Clear();
        _resets.Clear();
    }

    public void Bind(NpgsqlCommand command)
    {
        // In the order of the key: two flushes that meet, of a former and a new owner, or copies of one, lock rows the same way.
        var owners = _owners.OrderBy(owner => owner.Key).ToArray();
        var kept = _rows.Where(row => row.Value is not null).OrderBy(row => row.Key).Select(row => (row.Key, Value: row.Value!.Value)).ToArray();
        var gone = _rows.Where(row => row.Value is null).Select(row => row.Key).Order().ToArray();
        Add(command, Array.ConvertAll(owners, owner => owner.Key));
        Add(command, Array.ConvertAll(owners, owner => owner.Value));
        Add(command, Array.ConvertAll(kept, row => row.Key.Group));
        Add(command, Array.ConvertAll(kept, row => row.Key.Topic));
        Add(command, Array.ConvertAll(kept, row => row.Key.Partition));
        Add(command, Array.ConvertAll(kept, row => row.Value.Committed.Offset));
        Add(command, Array.ConvertAll(kept, row => row.Value.Committed.LeaderEpoch));
        Add(command, Array.ConvertAll(kept, row => Encoding.UTF8.GetBytes(row.Value.Committed.Metadata)));
        Add(command, Array.ConvertAll(kept, row => row.Value.CommittedAt.UtcDateTime));
        Add(command, Array.ConvertAll(gone, key => key.Group));
        Add(command, Array.ConvertAll(gone, key => key.Topic));
        Add(command, Array.ConvertAll(gone, key => key.Partition));
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Number });
        if (_resets.Count > 0)
            BindResets(command);
    }

    /// <returns>The groups whose owners are still the owners.</returns>
    public async Task<HashSet<int>> WriteAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(Statement, connection);
        Bind(command);
        await command.PrepareAsync(cancellation);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var owned = new HashSet<int>();
        while (await reader.ReadAsync(cancellation))
            owned.Add(reader.GetInt32(0));
        return owned;
    }

    private void BindResets(NpgsqlCommand command)
    {
        var entries = _resets.ToArray();
        Add(command, Array.ConvertAll(entries, entry => entry.Key));
        Add(command, Array.ConvertAll(entries, entry => entry.Value.Reset.ResetId));
        Add(command, Array.ConvertAll(entries, entry => entry.Value.Reset.At.UtcDateTime));
        Add(command, Array.ConvertAll(entries, entry => entry.Value.Reset.By));
        Add(command, Array.ConvertAll(entries, entry => entry.Value.Reset.Why));
        Add(command, Array.ConvertAll(entries, entry => entry.Value.Reset.WhileActive));
        Add(command, Array.ConvertAll(entries, entry => JsonSerializer.Serialize(entry.Value.Reset.Changes)));
        Add(command, Array.ConvertAll(entries, entry => entry.Value.Keep));
    }

    private static void Add<T>(NpgsqlCommand command, T[] values) => command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = values });
}
