using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

internal sealed class ProduceResponse
{
    public const short ApiKey = 0;
    public const short LowestVersion = 0;
    public const short HighestVersion = 12;

    public List<TopicProduceResponse> Responses { get; set; } = [];

    public int ThrottleTimeMs { get; set; }

    public List<NodeEndpoint> NodeEndpoints { get; set; } = [];

    public static bool IsFlexible(short version) => version >= 9;

    public static ProduceResponse Read(ref WireReader reader, short version)
    {
        var isFlexible = version >= 9;
        var message = new ProduceResponse();
        var responses = reader.ReadCount(isFlexible);
        for (var i = 0; i < responses; i++)
            message.Responses.Add(TopicProduceResponse.Read(ref reader, version));
        if (version >= 1)
        {
            message.ThrottleTimeMs = reader.ReadInt32();
        }

        for (var tags = reader.ReadTagCount(isFlexible); tags > 0; tags--)
        {
            switch (reader.ReadTag(out var field))
            {
                case 0:
                {
                    var nodeendpoints = field.ReadCount(isFlexible);
                    for (var i = 0; i < nodeendpoints; i++)
                        message.NodeEndpoints.Add(NodeEndpoint.Read(ref field, version));
                    break;
                }

            }
        }

        return message;
    }

    public void Write(WireWriter writer, short version)
    {
        var isFlexible = version >= 9;
        writer.WriteCount(Responses.Count, isFlexible);
        foreach (var item in Responses)
            item.Write(writer, version);
        if (version >= 1)
        {
            writer.WriteInt32(ThrottleTimeMs);
        }

        if (!isFlexible)
            return;
        uint tags = 0;
        if (version >= 10 && NodeEndpoints.Count > 0)
            tags++;
        writer.WriteUnsignedVarint(tags);
        if (version >= 10 && NodeEndpoints.Count > 0)
        {
            using var field = new WireWriter();
            field.WriteCount(NodeEndpoints.Count, isFlexible);
            foreach (var item in NodeEndpoints)
                item.Write(field, version);
            writer.WriteTag(0, field);
        }

    }

    internal sealed class TopicProduceResponse
    {
        public string Name { get; set; } = "";

        public List<PartitionProduceResponse> PartitionResponses { get; set; } = [];

        public static TopicProduceResponse Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 9;
            var message = new TopicProduceResponse();
            message.Name = reader.ReadString(isFlexible);
            var partitionresponses = reader.ReadCount(isFlexible);
            for (var i = 0; i < partitionresponses; i++)
                message.PartitionResponses.Add(PartitionProduceResponse.Read(ref reader, version));
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 9;
            writer.WriteString(Name, isFlexible);
            writer.WriteCount(PartitionResponses.Count, isFlexible);
            foreach (var item in PartitionResponses)
                item.Write(writer, version);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class PartitionProduceResponse
    {
        public int Index { get; set; }

        public short ErrorCode { get; set; }

        public long BaseOffset { get; set; }

        public long LogAppendTimeMs { get; set; } = -1;

        public long LogStartOffset { get; set; } = -1;

        public List<BatchIndexAndErrorMessage> RecordErrors { get; set; } = [];

        public string? ErrorMessage { get; set; }

        public LeaderIdAndEpoch CurrentLeader { get; set; } = new();

        public static PartitionProduceResponse Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 9;
            var message = new PartitionProduceResponse();
            message.Index = reader.ReadInt32();
            message.ErrorCode = reader.ReadInt16();
            message.BaseOffset = reader.ReadInt64();
            if (version >= 2)
            {
                message.LogAppendTimeMs = reader.ReadInt64();
            }

            if (version >= 5)
            {
                message.LogStartOffset = reader.ReadInt64();
            }

            if (version >= 8)
            {
                var recorderrors = reader.ReadCount(isFlexible);
                for (var i = 0; i < recorderrors; i++)
                    message.RecordErrors.Add(BatchIndexAndErrorMessage.Read(ref reader, version));
            }

            if (version >= 8)
            {
                message.ErrorMessage = reader.ReadNullableString(isFlexible);
            }

            for (var tags = reader.ReadTagCount(isFlexible); tags > 0; tags--)
            {
                switch (reader.ReadTag(out var field))
                {
                    case 0:
                    {
                        message.CurrentLeader = LeaderIdAndEpoch.Read(ref field, version);
                        break;
                    }

                }
            }

            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 9;
            writer.WriteInt32(Index);
            writer.WriteInt16(ErrorCode);
            writer.WriteInt64(BaseOffset);
            if (version >= 2)
            {
                writer.WriteInt64(LogAppendTimeMs);
            }

            if (version >= 5)
            {
                writer.WriteInt64(LogStartOffset);
            }

            if (version >= 8)
            {
                writer.WriteCount(RecordErrors.Count, isFlexible);
                foreach (var item in RecordErrors)
                    item.Write(writer, version);
            }

            if (version >= 8)
            {
                writer.WriteString(ErrorMessage, isFlexible);
            }

            if (!isFlexible)
                return;
            uint tags = 0;
            if (version >= 10 && !CurrentLeader.IsDefault)
                tags++;
            writer.WriteUnsignedVarint(tags);
            if (version >= 10 && !CurrentLeader.IsDefault)
            {
                using var field = new WireWriter();
                CurrentLeader.Write(field, version);
                writer.WriteTag(0, field);
            }

        }
    }

    internal sealed class BatchIndexAndErrorMessage
    {
        public int BatchIndex { get; set; }

        public string? BatchIndexErrorMessage { get; set; }

        public bool IsDefault => !(BatchIndex != 0 || BatchIndexErrorMessage is not null);

        public static BatchIndexAndErrorMessage Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 9;
            var message = new BatchIndexAndErrorMessage();
            message.BatchIndex = reader.ReadInt32();
            message.BatchIndexErrorMessage = reader.ReadNullableString(isFlexible);
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 9;
            writer.WriteInt32(BatchIndex);
            writer.WriteString(BatchIndexErrorMessage, isFlexible);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class LeaderIdAndEpoch
    {
        public int LeaderId { get; set; } = -1;

        public int LeaderEpoch { get; set; } = -1;

        public bool IsDefault => !(LeaderId != -1 || LeaderEpoch != -1);

        public static LeaderIdAndEpoch Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 9;
            var message = new LeaderIdAndEpoch();
            message.LeaderId = reader.ReadInt32();
            message.LeaderEpoch = reader.ReadInt32();
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 9;
            writer.WriteInt32(LeaderId);
            writer.WriteInt32(LeaderEpoch);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class NodeEndpoint
    {
        public int NodeId { get; set; }

        public string Host { get; set; } = "";

        public int Port { get; set; }

        public string? Rack { get; set; }

        public bool IsDefault => !(NodeId != 0 || Host.Length > 0 || Port != 0 || Rack is not null);

        public static NodeEndpoint Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 9;
            var message = new NodeEndpoint();
            message.NodeId = reader.ReadInt32();
            message.Host = reader.ReadString(isFlexible);
            message.Port = reader.ReadInt32();
            message.Rack = reader.ReadNullableString(isFlexible);
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 9;
            writer.WriteInt32(NodeId);
            writer.WriteString(Host, isFlexible);
            writer.WriteInt32(Port);
            writer.WriteString(Rack, isFlexible);
            writer.WriteNoTags(isFlexible);
        }
    }
}
