using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>Groups in PostgreSQL. Positions go through <see cref="OffsetWriter"/> on a connection of its own, all else is rare.</summary>
internal sealed class PostgresGroupStore : IGroupStore, IAsyncDisposable
{
    private readonly string _clusterId;
    private readonly SessionPool _writeSession;
    private readonly SessionPool _workSessions;
    private readonly OffsetWriter _writer;
    private readonly SiloStanding? _standing;

    /// <param name="standing">Has to hold when a group is opened; null: anybody may.</param>
    public PostgresGroupStore(
        NpgsqlDataSource source, string clusterId, StorageOptions options, TimeProvider time, ILoggerFactory loggers, SiloStanding? standing = null)
    {
        (_clusterId, _standing) = (clusterId, standing);
        _writeSession = new SessionPool(source, Sessions.OffsetsName, size: 1, options);
        _workSessions = new SessionPool(source, Sessions.GroupsName, options.GroupConnections, options);
        _writer = new OffsetWriter(_writeSession, options, time, new StorageDiagnostics(loggers.CreateLogger<StorageDiagnostics>()));
    }

    public void Start() => _writer.Start();

    public Task StopAsync(CancellationToken cancellation) => _writer.StopAsync(cancellation);

    public Task<OpenedGroup?> OpenAsync(string groupId, CancellationToken cancellation) => _workSessions.RunAsync(
        (connection, limit) => OpenAsync(connection, Command(GroupStatements.Open, _clusterId, groupId), groupId, limit), cancellation);

    public Task<OpenedGroup?> CreateAsync(string groupId, int maxGroups, CancellationToken cancellation) => _workSessions.RunAsync(
        (connection, limit) =>
            OpenAsync(connection, Command(GroupStatements.Create, _clusterId, groupId, (long)maxGroups, (short)GroupState.Empty), groupId, limit),
        cancellation);

    public Task<GroupWriteOutcome> WriteAsync(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null) =>
        _writer.WriteAsync(group, writes, reset);

    public Task<ImmutableArray<RecordedReset>> ListResetsAsync(string groupId, int limit, CancellationToken cancellation) => _workSessions.RunAsync(
        async (connection, timeout) =>
        {
            await using var command = Command(connection, ResetStatements.List, _clusterId, groupId, limit);
            await using var reader = await command.ExecuteReaderAsync(timeout);
            var found = ImmutableArray.CreateBuilder<RecordedReset>();
            while (await reader.ReadAsync(timeout))
            {
                found.Add(new RecordedReset(
                    reader.GetGuid(0),
                    new DateTimeOffset(reader.GetDateTime(1), TimeSpan.Zero),
                    reader.GetString(2),
                    reader.GetString(3),
                    reader.GetBoolean(4),
                    [.. JsonSerializer.Deserialize<ResetChange[]>(reader.GetString(5))!]));
            }

            return found.ToImmutable();
        },
        cancellation);

    public Task<bool> NoteAsync(OwnedGroup group, string protocolType, GroupState state, GroupType type, CancellationToken cancellation) => _workSessions.RunAsync(
        async (connection, limit) =>
        {
            await using var command = Command(connection, GroupStatements.Note, group.Number, group.OwnerEpoch, protocolType, (short)state, (short)type);
            return await command.ExecuteNonQueryAsync(limit) == 1;
        },
        cancellation);

    public Task<bool> DeleteAsync(OwnedGroup group, CancellationToken cancellation) => _workSessions.RunAsync(
        async (connection, limit) =>
        {
            await using var command = Command(connection, GroupStatements.Delete, group.Number, group.OwnerEpoch);
            return await command.ExecuteScalarAsync(limit) is long and 1;
        },
        cancellation);

    public Task<ImmutableArray<GroupListing>> ListAsync(CancellationToken cancellation) => _workSessions.RunAsync(
        async (connection, limit) =>
        {
            await using var command = Command(connection, GroupStatements.List, _clusterId);
            await using var reader = await command.ExecuteReaderAsync(limit);
            var found = ImmutableArray.CreateBuilder<GroupListing>();
            while (await reader.ReadAsync(limit))
                found.Add(new GroupListing(reader.GetString(0), reader.GetString(1), (GroupState)reader.GetInt16(2), (GroupType)reader.GetInt16(3)));
            return found.ToImmutable();
        },
        cancellation);

    public Task<IReadOnlyList<(string GroupId, int Number)>> ListExpiredAsync(
        DateTimeOffset before, IReadOnlyCollection<Guid> living, int after, int limit, CancellationToken cancellation) => _workSessions.RunAsync<IReadOnlyList<(string GroupId, int Number)>>(
        async (connection, timeout) =>
        {
            await using var command = Command(
                connection, GroupStatements.ListExpired, _clusterId, before.UtcDateTime, living.ToArray(), limit, (short)GroupState.Empty, after);
            await using var reader = await command.ExecuteReaderAsync(timeout);
            var found = new List<(string GroupId, int Number)>();
            while (await reader.ReadAsync(timeout))
                found.Add((reader.GetString(0), reader.GetInt32(1)));
            return found;
        },
        cancellation);

    public async ValueTask DisposeAsync()
    {
        await _writeSession.DisposeAsync();
        await _workSessions.DisposeAsync();
    }

    private async Task<OpenedGroup?> OpenAsync(NpgsqlConnection connection, NpgsqlBatchCommand open, string groupId, CancellationToken cancellation)
    {
        OwnedGroup owned;
        await using (var batch = new NpgsqlBatch(connection) { BatchCommands = { open } })
        await using (var reader = await SiloStanding.ExecuteAsync(_standing, batch, cancellation))
        {
            if (!await reader.ReadAsync(cancellation))
                return null;
            owned = new OwnedGroup(groupId, reader.GetInt32(0), reader.GetInt64(1));
        }

        // After the commit of the opening: nothing of a former owner can follow.
        await using var command = Command(connection, GroupStatements.Offsets, owned.Number);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var offsets = new List<KeptOffset>();
        while (await rows.ReadAsync(cancellation))
        {
            offsets.Add(new KeptOffset(
                new CommittedOffset(new PartitionId(rows.GetGuid(0), rows.GetInt32(1)), rows.GetInt64(2), rows.GetInt32(3), Encoding.UTF8.GetString(rows.GetFieldValue<byte[]>(4))),
                new DateTimeOffset(rows.GetDateTime(5), TimeSpan.Zero)));
        }

        return new OpenedGroup(owned, offsets);
    }

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
