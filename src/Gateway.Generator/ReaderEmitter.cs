using System.Linq;

namespace Granary.Gateway.Generator;

/// <summary>Writes the method that reads a message or struct: straight down its fields, in the order of the wire.</summary>
internal static class ReaderEmitter
{
    public static void Emit(CodeText code, Message message, Struct of, string name)
    {
        code.Line();
        code.Open($"public static {name} Read(ref WireReader reader, short version)");
        code.Line("var flexible = IsFlexible(version);");
        code.Line($"var read = new {name}();");
        foreach (var field in MessageEmitter.Placed(of))
        {
            var condition = MessageEmitter.Condition(field.Versions, message.Versions);
            if (condition.Length > 0)
            {
                code.Open($"if ({condition})");
                EmitField(code, message, field);
                code.Close();
            }
            else
            {
                EmitField(code, message, field);
            }
        }

        if (message.FlexibleFrom != VersionRange.Highest)
        {
            code.Line("if (flexible)");
            code.Line("    ReadTagged(ref reader, version, read);");
        }

        code.Line("return read;");
        code.Close();
        if (message.FlexibleFrom != VersionRange.Highest)
            EmitTagged(code, message, of, name);
    }

    private static void EmitTagged(CodeText code, Message message, Struct of, string name)
    {
        code.Line();
        code.Open($"private static void ReadTagged(ref WireReader reader, short version, {name} read)");
        code.Open("for (var left = reader.ReadUnsignedVarint(); left > 0; left--)");
        code.Line("var tag = reader.ReadUnsignedVarint();");
        code.Line("var end = reader.ReadTaggedEnd();");
        var tagged = MessageEmitter.Tagged(of).ToList();
        if (tagged.Count > 0)
        {
            code.Line("const bool flexible = true;");
            code.Open("switch (tag)");
            foreach (var field in tagged)
            {
                var condition = MessageEmitter.Condition(field.Versions, message.Versions);
                code.Open($"case {field.Tag}{(condition.Length > 0 ? " when " + condition : "")}:");
                EmitField(code, message, field);
                code.Line("break;");
                code.Close();
            }

            code.Close();
        }

        // Unknown tags, and what a newer client put behind a known one, are passed over.
        code.Line("reader.SkipTo(end);");
        code.Close();
        code.Close();
    }

    private static void EmitField(CodeText code, Message message, Field field)
    {
        if (!field.IsArray)
        {
            code.Line($"read.{field.Name} = {Value(message, field, field.IsNullable)};");
            return;
        }

        var count = "count" + field.Name;
        code.Line($"var {count} = reader.ReadCount(flexible, \"{field.Name}\");");
        code.Open($"if ({count} < 0)");
        code.Line(field.IsNullable ? NullOr(message, field, $"read.{field.Name} = null;") : $"throw MalformedFrameException.NullOf(\"{field.Name}\");");
        code.Close();
        code.Open("else");
        code.Line($"var list = new global::System.Collections.Generic.List<{MessageEmitter.ElementType(field)}>(reader.Presize({count}));");
        code.Line($"for (var index = 0; index < {count}; index++)");
        code.Line($"    list.Add({Value(message, field, nullable: false)});");
        code.Line($"read.{field.Name} = list;");
        code.Close();
    }

    private static string NullOr(Message message, Field field, string assign)
    {
        var condition = MessageEmitter.Condition(field.Nullable, message.Versions);
        return condition.Length == 0 ? assign : $"if ({condition}) {assign} else throw MalformedFrameException.NullOf(\"{field.Name}\");";
    }

    private static string Value(Message message, Field field, bool nullable)
    {
        var name = $"\"{field.Name}\"";
        return field.Kind switch
        {
            FieldKind.Bool => "reader.ReadBoolean()",
            FieldKind.Int8 => "reader.ReadInt8()",
            FieldKind.Int16 => "reader.ReadInt16()",
            FieldKind.UInt16 => "reader.ReadUInt16()",
            FieldKind.Int32 => "reader.ReadInt32()",
            FieldKind.UInt32 => "reader.ReadUInt32()",
            FieldKind.Int64 => "reader.ReadInt64()",
            FieldKind.Float64 => "reader.ReadFloat64()",
            FieldKind.Uuid => "reader.ReadUuid()",
            FieldKind.String => nullable ? Nullable(message, field, $"reader.ReadNullableString(flexible, {name})") : $"reader.ReadString(flexible, {name})",
            FieldKind.Bytes => nullable ? Nullable(message, field, $"reader.ReadNullableBytes(flexible, {name})") : $"reader.ReadBytes(flexible, {name})",
            FieldKind.Records => $"reader.ReadRecords(flexible, {name})",
            _ => nullable ? $"reader.ReadInt8() < 0 ? null : {field.StructName}.Read(ref reader, version)" : $"{field.StructName}.Read(ref reader, version)",
        };
    }

    private static string Nullable(Message message, Field field, string read)
    {
        var condition = MessageEmitter.Condition(field.Nullable, message.Versions);
        return condition.Length == 0 ? read : $"{read} ?? ({condition} ? ({MessageEmitter.ElementType(field)}?)null : throw MalformedFrameException.NullOf(\"{field.Name}\"))";
    }
}
